"""A call of another library's model is one request, which ends with whoever waits for it."""

import asyncio
import gc
from contextlib import contextmanager
from contextvars import ContextVar

import pytest

from scaffolding_core import FinalEvent, FunctionWorker, GenerationTask, NativeGenerationController, ScaffoldingLlm
from scaffolding_core.adapting import Call
from tests.eventually import until

AROUND = ContextVar("around", default="")


class Held(FunctionWorker):
    """Answers once it is let go, and tells what it ran in and whether it was cut."""

    def __init__(self):
        super().__init__(self._answer)
        self.seen, self.cut, self.go_on = [], 0, False

    async def _answer(self, task):
        self.seen.append(AROUND.get())
        try:
            while not self.go_on:
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            self.cut += 1
            raise
        return "7"


@contextmanager
def around():
    token = AROUND.set("here")
    try:
        yield
    finally:
        AROUND.reset(token)


@pytest.fixture
def worker():
    return Held()


@pytest.fixture
def call(worker):
    with ScaffoldingLlm(NativeGenerationController(), worker) as llm:
        yield Call(llm, GenerationTask(input_str="q"), {}, around())


async def final_of(events):
    return [event async for event in events][-1]


class TestWhatItRunsIn:
    def test_a_blocking_one(self, call, worker):
        worker.go_on = True
        assert call.result().text == "7"
        assert (worker.seen, AROUND.get()) == (["here"], "")

    async def test_an_async_one(self, call, worker):
        worker.go_on = True
        assert (await call.aresult()).text == "7"
        assert (worker.seen, AROUND.get()) == (["here"], "")

    def test_a_blocking_stream(self, call, worker):
        worker.go_on = True
        *_, last = call.events()
        assert isinstance(last, FinalEvent)
        assert (worker.seen, call.streamed.text) == (["here"], "7")

    async def test_an_async_stream(self, call, worker):
        worker.go_on = True
        assert isinstance(await final_of(await call.aevents()), FinalEvent)
        assert (worker.seen, call.streamed.text) == (["here"], "7")


class TestItsEnd:
    async def test_one_that_nobody_awaits_any_more_is_cut(self, call, worker):
        waiting = asyncio.ensure_future(call.aresult())
        await until(lambda: worker.seen)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until(lambda: worker.cut)

    async def test_events_that_are_dropped_unread_cut_it(self, call, worker):
        events = call.events()  # it runs before anybody reads
        await until(lambda: worker.seen)
        del events
        gc.collect()
        await until(lambda: worker.cut)

    async def test_async_events_that_are_dropped_unread_cut_it(self, call, worker):
        events = await call.aevents()
        await until(lambda: worker.seen)
        del events
        gc.collect()
        await until(lambda: worker.cut)
