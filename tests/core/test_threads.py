"""Blocking calls from a loop, and a loop for callers that block."""

import asyncio
import contextvars
import os
import threading
import time

import pytest

from scaffolding_core.threads import Abandoned, on_abandoned, run_in_thread, wait_for
from tests.eventually import until

here = contextvars.ContextVar("here", default="nowhere")


def named_threads(name="scaffolding-call"):
    return [thread for thread in threading.enumerate() if thread.name == name]


async def gone(name="scaffolding-call"):
    async with asyncio.timeout(10):
        while named_threads(name):  # no event tells it
            await asyncio.sleep(0.01)


async def test_calls_that_follow_each_other_share_threads_which_end_soon_after():
    await gone()
    idents = set()
    for _ in range(20):
        idents.add(await run_in_thread(threading.get_ident))
        await asyncio.sleep(0.005)
    assert len(idents) < 10
    await gone()


async def test_any_number_of_calls_run_at_once():
    everybody = threading.Barrier(100)
    await asyncio.gather(*(run_in_thread(everybody.wait, 10) for _ in range(100)))


async def test_calls_begin_in_the_order_in_which_they_are_made():
    for _ in range(20):
        begun = []
        await asyncio.gather(*(run_in_thread(begun.append, index) for index in range(8)))
        assert begun == sorted(begun)


async def test_calls_that_come_just_as_threads_end_are_not_lost(monkeypatch):
    monkeypatch.setattr("scaffolding_core.threads.LINGERING_SECONDS", 0.002)
    for _ in range(200):
        assert await asyncio.gather(*(run_in_thread(int, 7) for _ in range(3))) == [7] * 3
        await asyncio.sleep(0.002)


async def test_each_call_has_its_callers_context_and_leaves_none():
    here.set("first")
    assert await run_in_thread(here.get) == "first"
    await run_in_thread(here.set, "changed")
    assert here.get() == "first"
    here.set("second")
    assert await run_in_thread(here.get) == "second"


async def test_what_a_call_raises_is_raised_and_the_next_one_runs():
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(lambda: 1 / 0)
    with pytest.raises(RuntimeError, match="stopped early"):
        await run_in_thread(next, iter(()))
    assert await run_in_thread(int, 7) == 7


async def test_a_cut_call_runs_to_its_end_and_its_result_is_dropped():
    ended = threading.Event()
    call = asyncio.create_task(run_in_thread(lambda: (time.sleep(0.1), ended.set())))
    await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await asyncio.to_thread(ended.wait, 10)


class TestAbandoning:
    """What a call waits for ends once nobody waits for the call."""

    async def cut(self, function, begun):
        call = asyncio.create_task(run_in_thread(function))
        await until(begun.is_set)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    async def test_what_it_waits_for_is_ended_and_the_call_ends_with_that(self):
        begun, end, ended = threading.Event(), threading.Event(), []

        def call():
            try:
                with on_abandoned(end.set):
                    begun.set()
                    end.wait()
            except Abandoned:
                ended.append("abandoned")

        await self.cut(call, begun)
        await until(lambda: ended)

    async def test_what_it_waits_for_next_is_not_begun(self):
        begun, end, ended = threading.Event(), threading.Event(), []

        def call():
            begun.set()
            end.wait()
            try:
                with on_abandoned(ended.append):
                    ended.append("begun")
            except Abandoned:
                ended.append("refused")

        await self.cut(call, begun)
        end.set()
        await until(lambda: ended)
        assert ended == ["refused"]

    async def test_what_it_does_not_wait_for_any_more_is_left_alone(self):
        begun, end, reacted, ended = threading.Event(), threading.Event(), [], threading.Event()

        def call():
            with on_abandoned(lambda: reacted.append(1)):
                pass
            begun.set()
            end.wait()
            ended.set()

        await self.cut(call, begun)
        end.set()
        await until(ended.is_set)
        assert reacted == []

    def test_elsewhere_nothing_is_ever_abandoned(self):
        with on_abandoned(lambda: pytest.fail("nobody gave it up")):
            pass

    async def test_an_error_of_its_own_is_not_hidden(self):
        with pytest.raises(KeyError):
            await run_in_thread(self.fails)

    def fails(self):
        with on_abandoned(lambda: None):
            raise KeyError("x")


def test_a_loop_ends_although_a_call_does_not():
    end = threading.Event()

    async def main():
        call = asyncio.create_task(run_in_thread(end.wait))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    asyncio.run(main())  # it would wait for threads of its own
    end.set()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python warns of forks beside threads
def test_a_forked_child_does_not_wait_for_its_parents_threads():
    asyncio.run(run_in_thread(int, 7))
    child = os.fork()
    if not child:
        os._exit(asyncio.run(asyncio.wait_for(run_in_thread(int, 7), 10)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


class TestWaiting:
    async def answer(self):
        await asyncio.sleep(0)
        return 7

    def test_a_blocking_caller_gets_the_result(self):
        assert wait_for(self.answer, 10) == 7

    async def test_inside_a_running_loop_too(self):
        assert wait_for(self.answer, 10) == 7

    async def test_what_takes_longer_is_cancelled(self):
        cancelled = threading.Event()

        async def long():
            try:
                await asyncio.sleep(60)
            finally:
                cancelled.set()

        with pytest.raises(TimeoutError):
            wait_for(long, 0.05)
        assert await asyncio.to_thread(cancelled.wait, 10)
        await gone("scaffolding-wait")

    async def test_what_cannot_be_cancelled_is_not_waited_for(self):
        async def blocks():
            time.sleep(1)  # noqa: ASYNC251  # what cannot be cancelled

        started = time.monotonic()
        with pytest.raises(TimeoutError):
            wait_for(blocks, 0.05)
        assert time.monotonic() - started < 0.9
        await gone("scaffolding-wait")

    def test_what_it_raises_is_raised(self):
        async def fails():
            raise KeyError("x")

        with pytest.raises(KeyError):
            wait_for(fails, 10)
