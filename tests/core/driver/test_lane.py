"""Slots, queues, priorities and admission."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from scaffolding_core.controllers import NativeGenerationController
from scaffolding_core.driver import Lane
from scaffolding_core.errors import InvalidRequestError, RequestCancelledError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from tests.core.doubles import Backend, Method, task

pytestmark = pytest.mark.looptime


async def test_a_worker_runs_no_more_than_its_max_concurrency_first_come_first_served():
    backend = Backend(max_concurrency=2)

    def process(tasks):
        yield [task(f"wait:0.01 say:{i}") for i in range(7)]

    async with ScaffoldingLlm(Method(process), backend) as llm:
        await llm.generate_async("go")
    assert backend.most == 2
    assert backend.started == [f"wait:0.01 say:{i}" for i in range(7)]


async def test_the_limit_holds_over_all_that_share_the_worker():
    backend = Backend(max_concurrency=3)
    single = NativeGenerationController()
    async with ScaffoldingLlm(single, backend) as one, ScaffoldingLlm(single, backend) as other:
        await asyncio.gather(*(llm.generate_async("wait:0.01") for llm in (one, other) for _ in range(5)))
    assert backend.most == 3


async def test_a_point_of_priority_jumps_the_queue_a_bounded_number_of_places():
    backend = Backend(max_concurrency=1)
    async with ScaffoldingLlm(NativeGenerationController(), backend, max_parallel_requests=500) as llm:
        running = [llm.generate_async("wait:0.02 first")]
        await asyncio.sleep(0)
        running += [llm.generate_async(f"normal {i}") for i in range(200)]
        await asyncio.sleep(0.001)
        running.append(llm.generate_async("urgent", priority=1))
        await asyncio.gather(*running)
    place = backend.started.index("urgent")
    assert 200 - 64 <= place < 200 - 60


async def test_cutting_a_queued_call_never_starts_it_and_frees_nothing_twice():
    backend = Backend(max_concurrency=1)
    async with ScaffoldingLlm(NativeGenerationController(), backend) as llm:
        first = llm.generate_async("wait:0.05 a")
        queued = llm.generate_async("b")
        last = llm.generate_async("c")
        await asyncio.sleep(0.01)
        queued.cancel()
        with pytest.raises(RequestCancelledError):
            await queued
        await asyncio.gather(first, last)
    assert backend.started == ["wait:0.05 a", "c"]
    assert backend.most == 1


async def test_requests_beyond_max_parallel_requests_wait_their_turn():
    backend = Backend()
    async with ScaffoldingLlm(NativeGenerationController(), backend, max_parallel_requests=2) as llm:
        await asyncio.gather(*(llm.generate_async(f"wait:0.01 {i}") for i in range(6)))
        assert (backend.most, llm.max_parallel_requests) == (2, 2)
        llm.max_parallel_requests = 3
        await asyncio.gather(*(llm.generate_async(f"wait:0.01 {i}") for i in range(6)))
        assert backend.most == 3
        with pytest.raises(InvalidRequestError, match="max_parallel_requests must be at least 1, got 0"):
            llm.max_parallel_requests = 0
    assert len(backend.finished) == 12


@pytest.mark.looptime(False)
async def test_the_count_is_one_over_a_loop_in_a_thread_and_this_one():
    backend = Backend(max_concurrency=2)
    async with ScaffoldingLlm(NativeGenerationController(), backend) as llm:
        blocking = asyncio.to_thread(llm.generate, [f"wait:0.02 {i}" for i in range(4)])
        here = asyncio.gather(*(llm.generate_async(f"wait:0.02 x{i}") for i in range(4)))
        await asyncio.gather(blocking, here)
    assert backend.most <= 2
    assert len(backend.finished) == 8


async def test_a_blocking_call_does_not_wait_for_slots_that_it_keeps_from_coming_free():
    backend = Backend(max_concurrency=1)
    async with ScaffoldingLlm(NativeGenerationController(), backend, max_parallel_requests=1) as llm:
        mine = llm.generate_async("wait:0.05 mine")
        await asyncio.sleep(0.01)
        assert llm.generate("say:blocking").text == "blocking"
        assert not mine.done
        await mine


class Running:
    """Stands in for the driver of a loop that runs."""

    loop = SimpleNamespace(is_closed=lambda: False)

    def call_from_anywhere(self, function):
        function()


class Waiting:
    """Waits for a slot."""

    priority, place, started = 0, -1, False

    def __init__(self, driver, blocked=None):
        self.driver, self.blocked = driver, blocked

    def granted(self):
        self.started = True


def test_a_slot_beyond_the_limit_is_not_handed_on():
    waits, works = Running(), Running()
    lane, queued = Lane(1), Waiting(works)
    assert lane.acquire(Waiting(waits))
    assert lane.acquire(Waiting(works, blocked=waits))  # else the two would wait for each other
    assert not lane.acquire(queued)
    lane.release(works)
    assert not queued.started
    lane.release(waits)
    assert queued.started


@pytest.mark.parametrize("limit", [0, -1, 1.5, None])
def test_a_limit_below_one_is_refused(limit):
    backend = Backend(max_concurrency=limit)
    with pytest.raises(InvalidRequestError, match="max_concurrency"):
        ScaffoldingLlm(NativeGenerationController(), backend)
    with pytest.raises(InvalidRequestError, match="max_parallel_requests"):
        ScaffoldingLlm(NativeGenerationController(), Backend(), max_parallel_requests=limit)


@pytest.mark.parametrize("workers", [None, Backend, [Backend()], {"generation": None}, {"generation": Backend}])
def test_what_is_no_worker_is_refused(workers):
    with pytest.raises(InvalidRequestError, match=r"a worker must have an async run_task\(task\), got"):
        ScaffoldingLlm(NativeGenerationController(), workers)


def test_one_that_was_handed_a_slot_is_too_late_to_leave_the_queue():
    here = Running()
    lane, first, second, third = Lane(1), Waiting(here), Waiting(here), Waiting(here)
    assert lane.acquire(first)
    assert not lane.acquire(second)
    assert not lane.acquire(third)
    assert lane.withdraw(third)
    assert not lane.withdraw(third)  # it has left
    lane.release(here)
    assert second.started
    assert not lane.withdraw(second)  # the slot is its own
    lane.release(here)
    assert not third.started


@pytest.mark.looptime(False)
async def test_a_slot_that_a_call_was_handed_as_it_was_cut_comes_free():
    backend = Backend(max_concurrency=1)
    elsewhere = ScaffoldingLlm(NativeGenerationController(), backend)
    begun, go = threading.Event(), threading.Event()

    async def hold(task):
        task.output_str = "x"
        begun.set()
        await asyncio.to_thread(go.wait)

    backend.run_task = hold
    with elsewhere:
        running = await asyncio.to_thread(elsewhere.generate_async, "first")
        await asyncio.to_thread(begun.wait)
        async with ScaffoldingLlm(NativeGenerationController(), backend) as llm:
            queued = llm.generate_async("queued")
            await asyncio.sleep(0)
            go.set()
            running.wait_ended(60)  # this loop is blocked while the slot is handed to it
            queued.cancel()
            with pytest.raises(RequestCancelledError):
                await queued
            async with asyncio.timeout(60):
                await llm.generate_async("later")
