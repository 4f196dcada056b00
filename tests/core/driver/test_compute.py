"""What a method computes itself: blocking functions in threads, async ones on the loop, while there is time."""

import asyncio
import subprocess
import sys
import threading

import pytest

from scaffolding_core import (
    Budget,
    BudgetExceededError,
    ComputeTask,
    Controller,
    FunctionWorker,
    GenerationTask,
    RequestCancelledError,
    ScaffoldingLlm,
    Usage,
)
from scaffolding_core.driver import computing, request
from tests.core.doubles import Backend, Method
from tests.eventually import until


class Computing(Controller):
    """Runs one function."""

    def __init__(self, make):
        self.make = make

    def process(self, tasks):
        task = self.make()
        yield [task]
        tasks[0].output_str = str(task.result)


async def result_of(make):
    async with ScaffoldingLlm(Computing(make), FunctionWorker(lambda task: "")) as llm:
        result = await llm.generate_async("q")
    return result.text, result.usage


async def test_a_blocking_function_runs_in_a_thread_and_nothing_is_charged():
    text, usage = await result_of(lambda: ComputeTask(function=threading.get_ident))
    assert int(text) != threading.get_ident()
    assert usage == Usage()


async def test_an_async_function_runs_on_the_callers_loop():
    async def where():
        await asyncio.sleep(0)
        return id(asyncio.get_running_loop())

    text, _ = await result_of(lambda: ComputeTask(function=where))
    assert int(text) == id(asyncio.get_running_loop())


async def test_a_function_that_asks_a_model_may_charge_what_it_cost():
    def ask():
        computing.get().usage = Usage(prompt_tokens=3, calls=1)
        return "7"

    async def aask():
        return ask()

    for function in (ask, aask):
        text, usage = await result_of(lambda function=function: ComputeTask(function=function))
        assert (text, usage) == ("7", Usage(prompt_tokens=3, calls=1))


@pytest.fixture
def blocked():
    """A function that blocks until the test is over, with an event that tells that it was called."""

    def function():
        called.set()
        over.wait()
        return "late"

    called, over = threading.Event(), threading.Event()
    function.called = called
    yield function
    over.set()


async def never():
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("kind", ["blocking", "async"])
async def test_a_deadline_ends_what_is_computed(blocked, kind):
    def process(tasks):
        try:
            yield [ComputeTask(function=blocked if kind == "blocking" else never)]
        except BudgetExceededError as error:
            tasks[0].output_str = f"time is up: {error.limit}"

    async with ScaffoldingLlm(Method(process), Backend()) as llm:
        result = await llm.generate_async("q", budget=Budget(seconds=0.05))
    assert result.text == "time is up: seconds"
    assert result.usage == Usage()


async def test_a_cancelled_request_ends_at_once(blocked):
    def process(tasks):
        yield [ComputeTask(function=blocked)]

    async with ScaffoldingLlm(Method(process), Backend()) as llm:
        result = llm.generate_async("q")
        await until(blocked.called.is_set)
        result.cancel()
        with pytest.raises(RequestCancelledError):
            await result


async def test_what_is_quick_is_still_computed_when_time_is_up(monkeypatch):
    monkeypatch.setattr(request, "LAST_WORDS", 60)  # however busy the machine is

    def process(tasks):
        try:
            yield [GenerationTask(input_str="wait:60")]
        except BudgetExceededError:
            (compute,) = yield [ComputeTask(function=lambda: 6 * 7)]
            tasks[0].output_str = str(compute.result)

    async with ScaffoldingLlm(Method(process), Backend()) as llm:
        assert (await llm.generate_async("q", budget=Budget(seconds=0.02))).text == "42"


async def test_then_nothing_more_is_computed(blocked):
    def process(tasks):
        errors = []
        for function in (blocked, blocked, never, lambda: 42):
            try:
                yield [ComputeTask(function=function)]
            except BudgetExceededError as error:
                errors.append(error)
        tasks[0].output_str = str(len(errors))

    async with ScaffoldingLlm(Method(process), Backend()) as llm:
        assert (await llm.generate_async("q", budget=Budget(seconds=0.02))).text == "4"


async def test_where_tokens_are_spent_there_is_time_to_compute(blocked, monkeypatch):
    monkeypatch.setattr(request, "LAST_WORDS", 0)

    def process(tasks):
        yield [GenerationTask(input_str="say:x")]
        (compute,) = yield [ComputeTask(function=lambda: 6 * 7)]
        tasks[0].output_str = str(compute.result)
        try:
            yield [ComputeTask(function=blocked)]
        except BudgetExceededError:
            tasks[0].output_str += ", then time was up"

    async with ScaffoldingLlm(Method(process), Backend()) as llm:
        result = await llm.generate_async("q", budget=Budget(tokens=1, seconds=0.5))
    assert result.text == "42, then time was up"


PROGRAM = """
import asyncio, threading
from scaffolding_core import *

class Blocked(Controller):
    def process(self, tasks):
        yield [ComputeTask(function=threading.Event().wait)]

async def main():
    llm = ScaffoldingLlm(Blocked(), FunctionWorker(lambda task: ""))
    try:
        await llm.generate_async("q", budget=Budget(seconds=0.2))
    except BudgetExceededError:
        print("time is up")

asyncio.run(main())
print("over")
"""


def test_neither_the_loop_nor_the_program_waits_for_what_is_computed():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:2] == ["time is up", "over"]
    assert done.returncode == 0
