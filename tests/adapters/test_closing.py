"""Models, Runnables and query engines are closed, and opened again by whoever goes on using them."""

import asyncio
import threading

import pytest

from scaffolding_core import FunctionWorker, OpenAIWorker
from tests.adapters.kinds import MODELS, ONES_OWN
from tests.eventually import until
from tests.left import descriptors, nothing_left, own_loops, threads
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("no_idle_limit")

KINDS = pytest.mark.parametrize("kind", MODELS.values(), ids=MODELS)
OWN = pytest.mark.parametrize(("make", "ask", "aask"), ONES_OWN.values(), ids=ONES_OWN)


async def closed(model):
    model.close()


async def closed_in_a_thread(model):
    await asyncio.to_thread(model.close)


async def aclosed(model):
    await model.aclose()


async def left_with(model):
    with model as entered:
        assert entered is model


async def left_async_with(model):
    async with model as entered:
        assert entered is model


WAYS = pytest.mark.parametrize(
    "close", [closed, closed_in_a_thread, aclosed, left_with, left_async_with], ids=lambda close: close.__name__
)


@KINDS
@WAYS
async def test_a_closed_model_of_a_server_has_nothing_open_and_opens_anew(kind, close):
    with scripted_server(Reply()) as server:
        model, before = kind.of(server), None
        for _ in range(3):
            assert (kind.ask(model), await kind.aask(model)) == ("7", "7")
            await close(model)
            await close(model)
            before = before or (threads(), descriptors())  # with what is opened once for all
            await nothing_left(before)


@OWN
@WAYS
async def test_what_opens_no_connection_is_closed_alike(make, ask, aask, close):
    model, before = make(), own_loops()
    for _ in range(2):
        assert ask(model) == await aask(model)
        assert len(own_loops() - before) == 1
        await close(model)
        await close(model)
        assert not own_loops() - before


@KINDS
@WAYS
async def test_a_worker_that_was_given_stays_open(kind, close):
    with scripted_server(Reply()) as server, OpenAIWorker(server.url, "m") as worker:
        model = kind.cls(method="direct", worker=worker)
        await kind.aask(model)
        await close(model)
        assert await kind.aask(kind.cls(method="direct", worker=worker)) == "7"


@KINDS
@pytest.mark.parametrize("close", [closed_in_a_thread, aclosed], ids=lambda close: close.__name__)
async def test_closing_waits_for_what_runs(kind, close):
    held = threading.Event()
    with scripted_server(Reply(held=held)) as server:
        model = kind.of(server)
        running = [
            asyncio.ensure_future(kind.aask(model)),
            asyncio.ensure_future(asyncio.to_thread(kind.ask, model)),
        ]
        await until(lambda: server.open == 2)
        closing = asyncio.ensure_future(close(model))
        await asyncio.wait([closing], timeout=0.05)
        assert not closing.done()
        held.set()
        await closing
        assert await asyncio.gather(*running) == ["7", "7"]


@KINDS
async def test_closing_on_the_loop_of_a_request_leaves_it_to_finish_and_to_close_behind_itself(kind):
    held = threading.Event()
    with scripted_server(Reply(held=held)) as server:
        model, before = kind.of(server), (threads(), descriptors())
        running = asyncio.ensure_future(kind.aask(model))
        await until(lambda: server.open)
        model.close()
        held.set()
        assert await running == "7"
        del running
        await nothing_left(before)


@KINDS
@pytest.mark.parametrize("way", ["blocking", "async"])
async def test_a_request_may_close_what_runs_it(kind, way):
    async def aclosing(task):
        await model.aclose()
        return "7"

    def closing(task):
        model.close()
        return "7"

    model = kind.cls(method="direct", worker=FunctionWorker(closing if way == "blocking" else aclosing))
    assert await asyncio.wait_for(kind.aask(model), 60) == "7"
    assert await asyncio.wait_for(asyncio.to_thread(kind.ask, model), 60) == "7"


def test_the_end_of_a_copy_is_shared_and_harms_no_other():
    kind = MODELS["LangChain's chat model"]
    with scripted_server(Reply()) as server:
        model = kind.of(server)
        copy = model.model_copy(update={"temperature": 0.5})
        kind.ask(model)
        before = own_loops()
        copy.close()
        assert own_loops() < before
        assert kind.ask(model) == "7"
        model.close()


async def test_a_structured_llm_closes_what_its_llm_opened():
    from pydantic import BaseModel

    class Number(BaseModel):
        number: int

    reply = Reply(pieces=(), tool_calls=(("Number", '{"number": 7}'),))
    with scripted_server(reply) as server:
        before = own_loops()
        llm = MODELS["LlamaIndex's"].of(server).as_structured_llm(Number)
        assert llm.complete("q").raw == Number(number=7)
        llm.close()
        assert not own_loops() - before
