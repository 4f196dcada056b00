"""What a method computes itself: blocking functions in threads, async ones on the loop."""

import asyncio
import threading

from scaffolding_core import ComputeTask, Controller, FunctionWorker, ScaffoldingLlm, Usage
from scaffolding_core.driver import computing


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
