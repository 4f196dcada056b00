"""A function as a backend: what it may return, where it runs, and what a cut does to it."""

import asyncio
import contextvars
import functools
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest

from scaffolding_core import (
    AssistantMessage,
    Budget,
    BudgetExceededError,
    Capabilities,
    ClosedError,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    MCPCallTask,
    NativeGenerationController,
    RewardTask,
    ScaffoldingLlm,
    StreamGenerationTask,
    ToolCall,
    Usage,
    UserMessage,
    WorkerError,
)
from scaffolding_core.tasks import ChatTask, Task

place = contextvars.ContextVar("place", default="nowhere")


def generation() -> GenerationTask:
    return GenerationTask(input_str="question")


async def run(function, task):
    await FunctionWorker(function).run_task(task)
    return task


# What it may return.


async def test_text_is_the_answer_of_a_generation():
    task = await run(lambda task: task.input_str.upper(), generation())
    assert (task.output_str, task.finish_reason, task.usage) == ("QUESTION", "stop", Usage(calls=1))


async def test_it_is_called_with_a_chat_as_with_a_prompt():
    task = await run(lambda task: task.messages[-1].content, ChatTask(messages=[UserMessage("hello")]))
    assert task.output_str == "hello"


async def test_an_empty_text_is_an_answer():
    assert (await run(lambda task: "", generation())).output_str == ""


async def test_a_message_brings_thoughts_and_tool_calls():
    call = ToolCall("1", "look", "{}")
    task = await run(lambda task: AssistantMessage("text", "thoughts", [call]), generation())
    assert (task.output_str, task.reasoning, task.tool_calls) == ("text", "thoughts", [call])
    assert task.finish_reason == "tool_calls"


@pytest.mark.parametrize("score", [0.25, 1, True, Fraction(1, 4), Decimal("0.25")])
async def test_a_number_of_any_kind_is_a_reward(score):
    task = await run(lambda task: score, RewardTask(input_str="q"))
    assert task.reward == float(score)
    assert type(task.reward) is float


async def test_text_is_what_a_tool_answers():
    assert (await run(lambda task: task.args, MCPCallTask(args="{}"))).result_str == "{}"


async def test_none_means_that_the_function_filled_the_task():
    def fill(task):
        task.output_str, task.finish_reason, task.usage = "mine", "length", Usage(calls=2, completion_tokens=9)

    task = await run(fill, generation())
    assert (task.output_str, task.finish_reason) == ("mine", "length")
    assert task.usage == Usage(calls=2, completion_tokens=9)


async def test_what_it_left_unset_has_the_same_defaults():
    task = await run(lambda task: setattr(task, "output_str", "mine"), generation())
    assert (task.finish_reason, task.usage) == ("stop", Usage(calls=1))
    task = await run(lambda task: setattr(task, "tool_calls", [ToolCall("1", "look", "{}")]), generation())
    assert task.finish_reason == "tool_calls"


async def test_a_function_may_run_tasks_of_a_kind_of_its_own():
    @dataclass(slots=True, eq=False, repr=False)
    class Ring(Task):
        rung: bool = False

    assert (await run(lambda task: setattr(task, "rung", True), Ring())).rung


@pytest.mark.parametrize(
    ("task", "returned"),
    [
        (generation(), 4),
        (generation(), b"bytes"),
        (generation(), {"text": "x"}),
        (RewardTask(), "0.5"),
        (RewardTask(), [0.5]),
        (MCPCallTask(), 1.0),
        (Task(), "text"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_anything_else_is_an_error_that_names_what_came_and_what_to_return(task, returned):
    with pytest.raises(WorkerError, match=f"returned {type(returned).__name__} for a {type(task).__name__}: ret"):
        await run(lambda task: returned, task)


async def test_a_forgotten_return_is_an_error_and_no_empty_answer():
    with pytest.raises(WorkerError, match="left the GenerationTask empty"):
        await run(lambda task: None, generation())


async def test_text_ends_a_stream_at_once_and_a_function_may_also_fill_it_step_by_step():
    task = await run(lambda task: "all", StreamGenerationTask(input_str="q"))
    assert (task.output_str, task.end_flag, task.finish_reason) == ("all", True, "stop")

    def step(task):
        task.output_str = (task.output_str or "") + "x"
        task.end_flag = len(task.output_str) == 2

    task = await run(step, StreamGenerationTask(input_str="q"))
    assert (task.output_str, task.end_flag, task.finish_reason) == ("x", False, None)
    await run(step, task)
    assert (task.output_str, task.end_flag, task.finish_reason) == ("xx", True, "stop")


# Where it runs.


async def name_thread(task):
    return threading.current_thread().name


class AsyncCallable:
    async def __call__(self, task):
        return await name_thread(task)


@pytest.mark.parametrize(
    "function",
    [name_thread, functools.partial(name_thread), AsyncCallable(), functools.partial(AsyncCallable())],
    ids=["function", "partial", "object", "partial of object"],
)
async def test_an_async_function_runs_on_the_event_loop(function):
    assert (await run(function, generation())).output_str == threading.current_thread().name


async def test_a_plain_function_runs_in_a_thread_and_never_blocks_the_loop():
    released = threading.Event()
    called = asyncio.create_task(run(lambda task: str(released.wait(30)), generation()))
    await asyncio.sleep(0.01)
    assert not called.done()
    released.set()
    assert (await called).output_str == "True"


async def test_a_plain_function_that_returns_a_coroutine_is_awaited_on_the_loop():
    task = await run(lambda task: name_thread(task), generation())
    assert task.output_str == threading.current_thread().name


async def test_as_many_run_at_once_as_max_concurrency_says():
    """Each waits for all the others: fewer threads would never get through."""
    everybody = threading.Barrier(60)
    worker = FunctionWorker(lambda task: str(everybody.wait(30)), max_concurrency=60)
    async with ScaffoldingLlm(NativeGenerationController(), worker, max_parallel_requests=100) as llm:
        results = await asyncio.gather(*(llm.generate_async("q") for _ in range(60)))
    assert {result.text for result in results} == {str(place) for place in range(60)}


async def test_no_more_run_at_once_than_max_concurrency_says():
    lock, running, most = threading.Lock(), 0, 0

    def count(task):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        return "done"

    async with ScaffoldingLlm(NativeGenerationController(), FunctionWorker(count, max_concurrency=3)) as llm:
        await asyncio.gather(*(llm.generate_async("q") for _ in range(12)))
    assert most <= 3


async def test_it_sees_the_callers_context_and_changes_nothing_in_it():
    def move(task):
        was = place.get()
        place.set("elsewhere")
        return was

    place.set("here")
    assert (await run(move, generation())).output_str == "here"
    assert place.get() == "here"


# Failure, cut, close.


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_what_it_raises_reaches_the_caller_as_the_cause_of_a_worker_error(kind):
    def fail(task):
        raise KeyError("lost")

    async def fail_async(task):
        raise KeyError("lost")

    worker = FunctionWorker(fail if kind == "plain" else fail_async)
    async with ScaffoldingLlm(NativeGenerationController(), worker) as llm:
        with pytest.raises(WorkerError, match="FunctionWorker failed: KeyError") as failed:
            await llm.generate_async("q")
    assert isinstance(failed.value.__cause__, KeyError)


async def test_a_script_that_ran_out_of_answers_fails_instead_of_hanging():
    """`next` raises StopIteration, which no future can hold."""
    answers = iter(["only one"])
    worker = FunctionWorker(lambda task: next(answers))
    task = generation()
    await worker.run_task(task)
    assert task.output_str == "only one"
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(worker.run_task(generation()), 30)


async def test_a_cut_ends_the_await_at_once_and_drops_the_late_result():
    entered, released, left = threading.Event(), threading.Event(), threading.Event()

    def wait(task):
        entered.set()
        released.wait(30)
        left.set()
        return "too late"

    task = generation()
    call = asyncio.create_task(FunctionWorker(wait).run_task(task))
    assert await asyncio.to_thread(entered.wait, 30)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not left.is_set()
    released.set()
    assert await asyncio.to_thread(left.wait, 30)
    await asyncio.sleep(0.01)
    assert task.output_str is None


@pytest.mark.looptime
async def test_a_cut_stops_an_async_function():
    cut = asyncio.Event()

    async def wait(task):
        try:
            await asyncio.sleep(30)
        finally:
            cut.set()

    async with ScaffoldingLlm(NativeGenerationController(), FunctionWorker(wait)) as llm:
        with pytest.raises(BudgetExceededError):
            await llm.generate_async("q", budget=Budget(seconds=0.01))
    assert cut.is_set()


async def test_closing_waits_for_no_thread_and_a_call_that_runs_still_ends():
    entered, released = threading.Event(), threading.Event()

    def wait(task):
        entered.set()
        released.wait(30)
        return "done"

    worker, task = FunctionWorker(wait), generation()
    call = asyncio.create_task(worker.run_task(task))
    assert await asyncio.to_thread(entered.wait, 30)
    await worker.async_shutdown()
    assert not call.done()
    released.set()
    await call
    assert task.output_str == "done"


@pytest.mark.parametrize("kind", ["thread", "loop"])
async def test_a_closed_worker_refuses_tasks(kind):
    worker = FunctionWorker(lambda task: "x")
    if kind == "thread":
        worker.shutdown()
    else:
        await worker.async_shutdown()
    with pytest.raises(ClosedError):
        await worker.run_task(generation())


def test_a_process_ends_though_a_function_never_does():
    script = """
import asyncio, threading
from scaffolding_core import FunctionWorker, GenerationTask

async def main():
    entered = asyncio.Event()
    loop = asyncio.get_running_loop()

    def for_ever(task):
        loop.call_soon_threadsafe(entered.set)
        threading.Event().wait()

    call = asyncio.create_task(FunctionWorker(for_ever).run_task(GenerationTask(input_str="q")))
    await entered.wait()
    call.cancel()

asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", script], timeout=60, check=False, env=os.environ.copy())
    assert ended.returncode == 0


# How it is made.


def test_its_limits_are_the_ones_given():
    worker = FunctionWorker(lambda task: "x", max_concurrency=7, capabilities=Capabilities(tools=True))
    assert worker.max_concurrency == 7
    assert worker.capabilities.tools
    assert FunctionWorker(lambda task: "x").max_concurrency == 256
    assert FunctionWorker(lambda task: "x").capabilities == Capabilities()


@pytest.mark.parametrize("function", [None, "text", 3])
def test_what_cannot_be_called_is_refused(function):
    with pytest.raises(InvalidRequestError, match="needs a function"):
        FunctionWorker(function)
