"""A few worker processes that all who ask share."""

import asyncio
import gc
import os
import signal
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from scaffolding_core import (
    AssistantMessage,
    FunctionWorker,
    MajorityVoteController,
    NativeGenerationController,
    Regex,
    ScaffoldingLlm,
)
from scaffolding_core.answers import process_pool
from scaffolding_core.answers.process_pool import ProcessPool, end_idle_processes, shared_pool
from scaffolding_core.threads import Abandoned, run_in_thread
from tests.eventually import until

MODULE = "scaffolding_core.answers.regex_process"
EASY = {"pattern": "b", "flags": 0, "text": "abc"}
ENDLESS = {"pattern": "(a+)+$", "flags": 0, "text": "a" * 40 + "b"}


@pytest.fixture
def pool():
    pool = ProcessPool(MODULE, size=2)
    yield pool
    pool.close()


def processes(pool):
    return [process._process for process in (*pool._free, *pool._busy) if process._process is not None]


async def busy(pool, places):
    """Calls that keep so many processes busy, once they do."""
    calls = [asyncio.create_task(run_in_thread(pool.ask, ENDLESS, 60)) for _ in range(places)]
    await until(lambda: len(pool._busy) == places and len(processes(pool)) == places)
    return calls


async def stopped(calls, pool):
    for call in calls:
        call.cancel()
    await until(lambda: not pool._busy)


def test_many_threads_share_it(pool):
    def ask(i):
        return pool.ask({"pattern": r"\d+", "flags": 0, "text": f"x={i}"}, 20)

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(ask, range(200))) == [str(i) for i in range(200)]
    assert len(processes(pool)) <= 2
    assert pool.killed == 0


def test_one_process_is_enough_for_one_question_at_a_time(pool):
    for _ in range(5):
        assert pool.ask(EASY, 10) == "b"
    assert len(processes(pool)) == 1


async def test_a_hostile_question_keeps_no_other_waiting(pool):
    calls = await busy(pool, 1)
    assert await run_in_thread(pool.ask, EASY, 10) == "b"
    assert not calls[0].done()
    await stopped(calls, pool)


async def test_who_asks_first_is_answered_first(pool):
    calls = await busy(pool, 2)
    order = []

    def ask(number):
        pool.ask(EASY, 10)
        order.append(number)

    waiting = []
    for number in range(4):
        waiting.append(asyncio.create_task(run_in_thread(ask, number)))
        await until(lambda number=number: len(pool._line) == number + 1)
    calls[0].cancel()  # one process answers all, one after another
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3]
    await stopped(calls, pool)


async def test_who_does_not_wait_any_more_leaves_the_line(pool):
    calls = await busy(pool, 2)
    ended = []

    def ask():
        try:
            pool.ask(EASY, 10)
        except Abandoned as error:
            ended.append(error)

    waiting = asyncio.create_task(run_in_thread(ask))
    await until(lambda: pool._line)
    waiting.cancel()
    await until(lambda: ended)
    assert not pool._line
    await stopped(calls, pool)
    assert len(pool._free) == 2
    assert pool.ask(EASY, 10) == "b"


async def test_what_is_cut_again_and_again_leaves_it_whole(pool):
    for delay in range(12):
        call = asyncio.create_task(run_in_thread(pool.ask, EASY, 10))
        for _ in range(delay):
            await asyncio.sleep(0)
        call.cancel()
        assert await run_in_thread(pool.ask, EASY, 10) == "b"
    await until(lambda: not pool._busy)
    assert len(pool._free) <= 2


def test_a_killed_process_is_counted_and_replaced(pool):
    assert pool.ask(ENDLESS, 0.2) is None
    assert pool.killed == 1
    assert pool.ask(EASY, 10) == "b"


async def test_idle_processes_can_be_ended_and_busy_ones_stay(pool):
    calls = await busy(pool, 1)
    assert await run_in_thread(pool.ask, EASY, 10) == "b"
    assert len(processes(pool)) == 2
    end_idle_processes()
    assert len(processes(pool)) == 1
    assert not calls[0].done()
    assert await run_in_thread(pool.ask, EASY, 10) == "b"
    await stopped(calls, pool)


async def test_closing_it_ends_all_and_a_question_that_is_asked_has_no_answer(pool):
    calls = await busy(pool, 1)
    running = [psutil.Process(process.pid) for process in processes(pool)]
    pool.close()
    assert await calls[0] is None
    assert not any(process.is_running() for process in running)


async def test_the_last_scaffolding_llm_that_is_shut_down_leaves_no_process(monkeypatch):
    monkeypatch.setattr("scaffolding_core.scaffolding_llm._instances", weakref.WeakSet())
    method = MajorityVoteController(NativeGenerationController(), 2, extractor=Regex(r"\d+"))
    first, last = (ScaffoldingLlm(method, FunctionWorker(lambda task: "it is 7")) for _ in range(2))
    pool = method.answers.extractor._pool
    assert (await first.generate_async("q")).output.answer == "7"
    await first.aclose()
    assert processes(pool)
    await last.aclose()
    assert not processes(pool)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python warns of forks beside threads
def test_a_forked_child_starts_processes_of_its_own_even_while_a_thread_asks():
    pool = shared_pool(MODULE)
    assert pool.ask(EASY, 10) == "b"
    with pool._lock:  # as a thread that asks holds it
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(30)
            answer = pool.ask(EASY, 10)
            pool.close()
            os._exit(0 if answer == "b" else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert pool.ask(EASY, 10) == "b"


def test_its_processes_end_with_the_last_that_keeps_it(monkeypatch):
    monkeypatch.setattr(process_pool, "_shared", weakref.WeakValueDictionary())
    first, last = Regex("a"), Regex("b")
    assert first._pool is last._pool
    assert last.extract(AssistantMessage("ab")) == "b"
    process = psutil.Process(processes(last._pool)[0].pid)
    del first
    gc.collect()
    assert process.is_running()
    del last
    gc.collect()
    assert not process.is_running()


def test_the_size_is_bounded_and_no_hostile_question_blocks_all():
    assert 2 <= process_pool.SIZE <= 4


def test_asking_leaves_no_thread(pool):
    before = threading.active_count()
    assert pool.ask(EASY, 10) == "b"
    assert threading.active_count() <= before  # others may have ended meanwhile
