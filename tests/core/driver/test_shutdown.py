"""Closing a ScaffoldingLlm."""

import asyncio
import subprocess
import sys
import threading

import pytest

from scaffolding_core.controllers import NativeGenerationController
from scaffolding_core.errors import ClosedError, DeadlockError, RequestCancelledError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.workers.function import FunctionWorker
from tests.core.doubles import Backend, Method

single = NativeGenerationController()


async def test_leaving_the_async_with_drains():
    async with ScaffoldingLlm(single, Backend()) as llm:
        result = llm.generate_async("wait:0.03 say:x")
    assert result.text == "x"


def test_leaving_the_with_drains_and_leaves_no_thread():
    before = set(threading.enumerate())
    with ScaffoldingLlm(single, Backend()) as llm:
        result = llm.generate_async("wait:0.03 say:x")
    assert result.text == "x"
    assert set(threading.enumerate()) <= before


def test_a_program_that_ends_without_closing_ends_quietly():
    script = """
import time
from scaffolding_core import NativeChatController, LocalWorker, MajorityVoteController, ScaffoldingLlm
llm = ScaffoldingLlm(MajorityVoteController(NativeChatController({"max_tokens": 400})), LocalWorker())
running = llm.generate_async("Tell me a story.")
time.sleep(1.5)
assert not running.done
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=60)
    assert (ended.stdout, ended.stderr) == (b"", b"")


@pytest.mark.looptime
async def test_leaving_with_an_exception_cancels():
    backend = Backend()
    with pytest.raises(KeyError):
        async with ScaffoldingLlm(single, backend) as llm:
            result = llm.generate_async("wait:30")
            await asyncio.sleep(0.01)
            raise KeyError
    with pytest.raises(RequestCancelledError):
        await result
    assert backend.running == 0


@pytest.mark.looptime
async def test_shutdown_on_a_loop_with_requests_cancels_them_since_it_cannot_wait():
    backend = Backend()
    llm = ScaffoldingLlm(single, backend)
    result = llm.generate_async("wait:30")
    await asyncio.sleep(0.01)
    llm.shutdown()
    with pytest.raises(ClosedError):
        await result
    assert backend.running == 0


async def test_a_closed_one_refuses_requests():
    llm = ScaffoldingLlm(single, Backend())
    await llm.aclose()
    for call in (llm.generate, llm.generate_async):
        with pytest.raises(ClosedError, match="make a new one"):
            call("x")
    with pytest.raises(ClosedError):
        async for _ in llm.stream("x"):
            pass
    await llm.aclose()
    llm.shutdown()


async def test_nothing_is_left_behind():
    before = asyncio.all_tasks()
    async with ScaffoldingLlm(single, Backend()) as llm:
        await asyncio.gather(*(llm.generate_async("say:x") for _ in range(20)))
    assert asyncio.all_tasks() == before
    assert llm._drivers == {}


class Closable(Backend):
    def __init__(self):
        super().__init__()
        self.log = []

    def shutdown(self):
        self.log.append("shutdown")

    async def async_shutdown(self):
        self.log.append("async_shutdown")

    async def release_loop(self):
        self.log.append("release_loop")


async def test_workers_stay_the_callers_unless_asked_for():
    worker = Closable()
    async with ScaffoldingLlm(single, worker) as llm:
        await llm.generate_async("say:x")
    assert worker.log == ["release_loop"]
    await ScaffoldingLlm(single, worker).aclose(shutdown_workers=True)
    assert worker.log == ["release_loop", "async_shutdown"]


def test_shutdown_workers_from_a_thread():
    worker = Closable()
    llm = ScaffoldingLlm(single, worker)
    llm.generate("say:x")
    llm.shutdown(shutdown_workers=True)
    assert worker.log == ["release_loop", "shutdown"]


async def test_a_worker_hears_when_a_request_ends():
    ended = []

    class Scoped(Backend):
        async def on_scope_end(self, scope_id):
            ended.append(scope_id)

    async with ScaffoldingLlm(single, Scoped()) as llm:
        result = await llm.generate_async("say:x")
    assert ended == [str(result.id)]


def leave_with(llm):
    with llm:
        pass


@pytest.mark.parametrize("on_callers_loop", [True, False])
@pytest.mark.parametrize("place", ["thread", "loop", "method"])
@pytest.mark.parametrize("close", [ScaffoldingLlm.shutdown, leave_with])
def test_a_part_of_a_request_that_would_wait_for_itself_is_refused(place, on_callers_loop, close):
    refused = []

    def part(task):
        with pytest.raises(DeadlockError):
            close(llm)
        refused.append(task)
        return "7"

    async def on_loop(task):
        return part(task)

    def process(tasks):
        part(tasks)
        yield tasks

    method = Method(process) if place == "method" else single
    llm = ScaffoldingLlm(method, FunctionWorker({"thread": part, "loop": on_loop}.get(place, lambda task: "7")))

    async def ask():
        return await llm.generate_async("q")

    for _ in range(2):
        assert (asyncio.run(ask()) if on_callers_loop else llm.generate("q")).text == "7"
    assert len(refused) == 2
    llm.shutdown()


async def test_a_part_of_a_request_cannot_await_the_end_of_it_either():
    async def part(task):
        with pytest.raises(DeadlockError):
            await llm.aclose()
        return "7"

    async with ScaffoldingLlm(single, FunctionWorker(part)) as llm:
        assert (await llm.generate_async("q")).text == "7"
