"""The embedded model: llama.cpp in a process of its own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from scaffolding_core.workers.local import LocalWorker
from tests.core.workers.slots import busy_slots
from tests.engines.engine import Engine, Row

__all__ = ["ROW"]

NO_TOOLS = "the small model's chat template has no place for them"


@contextmanager
def start(request: pytest.FixtureRequest) -> Iterator[Engine]:
    shared: LocalWorker = request.getfixturevalue("embedded_worker")

    @asynccontextmanager
    async def worker() -> AsyncIterator[LocalWorker]:
        yield shared
        await shared.release_loop()

    @asynccontextmanager
    async def unknown_model() -> AsyncIterator[LocalWorker]:
        async with LocalWorker("no-such-model.gguf") as worker:
            yield worker

    yield Engine(
        worker=worker,
        unknown_model=unknown_model,
        window=20_000,
        running=lambda: busy_slots(shared),
        digits={"extra_body": {"grammar": "root ::= [0-9] [0-9] [0-9]"}},
    )


ROW = Row(
    start=start,
    lacks={
        "tools": NO_TOOLS,
        "forced calls": NO_TOOLS,
        "reasoning": "the small model's chat template has no place for thoughts",
    },
    marks=(pytest.mark.xdist_group("embedded"),),
)
