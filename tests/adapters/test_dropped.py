"""Models that nobody holds any more leave neither threads nor sockets behind."""

import pytest

from tests.adapters.kinds import MODELS, ONES_OWN
from tests.left import descriptors, nothing_left, threads
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("no_idle_limit")

MADE_AND_DROPPED = 100
FEW = 30
"""Threads and descriptors that may wait to be closed, while models are made and dropped as fast as they can be."""


@pytest.mark.parametrize("kind", MODELS.values(), ids=MODELS)
async def test_dropped_models_of_a_server_close_what_they_opened(kind):
    with scripted_server(Reply()) as server:
        await asked_and_dropped(lambda: kind.of(server), kind.ask, kind.aask)


@pytest.mark.parametrize(("make", "ask", "aask"), ONES_OWN.values(), ids=ONES_OWN)
async def test_whatever_else_has_a_method_too(make, ask, aask):
    await asked_and_dropped(make, ask, aask)


async def asked_and_dropped(make, ask, aask):
    await asked(make(), ask, aask)  # whatever is loaded once is
    before = threads(), descriptors()
    for _ in range(MADE_AND_DROPPED):
        await asked(make(), ask, aask)
    assert threads() <= before[0] + FEW
    await nothing_left(before)


async def asked(model, ask, aask):
    assert ask(model) == await aask(model)
