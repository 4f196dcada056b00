"""Cancelling a request."""

import asyncio
import threading

import pytest

from scaffolding_core.controllers import NativeGenerationController
from scaffolding_core.driver import call
from scaffolding_core.errors import RequestCancelledError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.worker import Worker
from tests.core.doubles import Backend, Method, task

pytestmark = pytest.mark.looptime
single = NativeGenerationController()


async def test_cancel_reaches_the_workers_coroutine_and_the_awaiter_gets_a_typed_error():
    backend = Backend()
    async with ScaffoldingLlm(single, backend) as llm:
        result = llm.generate_async("wait:30")
        await asyncio.sleep(0.01)
        result.cancel()
        with pytest.raises(RequestCancelledError):
            await result
    assert backend.cut == ["wait:30"]


async def test_no_other_request_is_harmed():
    async with ScaffoldingLlm(single, Backend()) as llm:
        doomed, fine = llm.generate_async("wait:30"), llm.generate_async("wait:0.03 say:fine")
        await asyncio.sleep(0.01)
        doomed.cancel()
        assert (await fine).text == "fine"
        with pytest.raises(RequestCancelledError):
            await doomed


@pytest.mark.looptime(False)
async def test_cancel_works_from_another_thread():
    async with ScaffoldingLlm(single, Backend()) as llm:
        result = llm.generate_async("wait:30")
        threading.Timer(0.01, result.cancel).start()
        with pytest.raises(RequestCancelledError):
            await result


async def test_cancelling_an_awaiter_leaves_the_request_alone():
    async with ScaffoldingLlm(single, Backend()) as llm:
        result = llm.generate_async("wait:0.05 say:on")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(result.aresult(), 0.01)
        assert (await result).text == "on"


async def test_cancel_after_the_end_changes_nothing():
    async with ScaffoldingLlm(single, Backend()) as llm:
        result = await llm.generate_async("say:x")
        result.cancel()
        assert result.text == "x"


async def test_a_call_that_ends_in_the_tick_of_the_cancel_is_paid_for():
    backend = Backend()
    async with ScaffoldingLlm(single, backend) as llm:
        result = llm.generate_async("say:x")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        result.cancel()
        await result.ended()
    assert result.usage.calls == 1


async def test_a_cut_call_whose_cost_was_never_told_counts_as_paid_unknown():
    class Silent(Worker):
        async def run_task(self, task):
            await asyncio.sleep(30)

    async with ScaffoldingLlm(single, Silent()) as llm:
        result = llm.generate_async("x")
        await asyncio.sleep(0.01)
        result.cancel()
        await result.ended()
    assert result.usage.lost_calls == 1


async def test_a_method_that_yields_while_it_is_closed_ends_all_the_same():
    def process(tasks):
        try:
            yield [task("wait:30")]
        finally:
            yield [task("say:more")]

    async with ScaffoldingLlm(Method(process), Backend()) as llm:
        result = llm.generate_async("go")
        await asyncio.sleep(0.01)
        result.cancel()
        with pytest.raises(RequestCancelledError):
            await result


async def test_a_worker_that_will_not_unwind_holds_the_request_only_for_the_grace(monkeypatch):
    monkeypatch.setattr(call, "GRACE", 0.05)
    released = asyncio.Event()

    class Stubborn(Worker):
        max_concurrency = 1

        async def run_task(self, task):
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                await released.wait()
                raise

    worker = Stubborn()
    async with ScaffoldingLlm(single, worker) as llm:
        result = llm.generate_async("x")
        await asyncio.sleep(0.01)
        result.cancel()
        with pytest.raises(RequestCancelledError):
            await result
        held = llm.generate_async("queued behind it")
        await asyncio.sleep(0.02)
        assert not held.done
        released.set()
        await asyncio.sleep(0.02)
        held.cancel()
        await held.ended()
