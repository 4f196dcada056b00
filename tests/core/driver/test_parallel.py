"""A method that yields a ParallelProcess."""

import pytest

from scaffolding_core.controller import ParallelProcess
from scaffolding_core.controllers import NativeGenerationController
from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from tests.core.doubles import Backend, Method, task

pytestmark = pytest.mark.looptime


async def run(process, backend=None):
    async with ScaffoldingLlm(Method(process), backend or Backend()) as llm:
        return await llm.generate_async("go")


async def test_branches_run_at_the_same_time_and_their_return_values_come_back_in_order():
    backend = Backend()

    def branch(name, seconds):
        yield [task(f"wait:{seconds}")]
        yield [task(f"wait:{seconds}")]
        return name

    def process(tasks):
        values = yield ParallelProcess.from_generators([branch("a", 0.02), branch("b", 0.01)])
        tasks[0].output_str = "".join(values)

    assert (await run(process, backend)).text == "ab"
    assert backend.most == 2


async def test_controllers_with_their_tasks_and_options_as_tensorrt_llm_has_it():
    single = NativeGenerationController()
    mine = [[task("say:a")], [task("say:b")]]

    def process(tasks):
        yield ParallelProcess([single, single], mine, [{}, {}])
        tasks[0].output_str = mine[0][0].output_str + mine[1][0].output_str

    assert (await run(process)).text == "ab"
    with pytest.raises(InvalidRequestError, match="2 controllers, 1 task lists"):
        ParallelProcess([single, single], mine[:1], [{}, {}])


async def test_no_branches_resume_at_once():
    def process(tasks):
        assert (yield ParallelProcess([], [], [])) == []
        tasks[0].output_str = "on"

    assert (await run(process)).text == "on"


async def test_a_failure_goes_up_one_generator_at_a_time_and_each_may_catch_it():
    backend = Backend()
    seen = []

    def failing():
        yield [task("wait:0.01 fail:x")]

    def inner():
        try:
            yield ParallelProcess.from_generators([failing(), waiting("near")])
        except WorkerError as error:
            seen.append(("inner", error.branch))
        return "rescued"

    def waiting(name):
        yield [task(f"wait:0.05 say:{name}")]
        return name

    def process(tasks):
        values = yield ParallelProcess.from_generators([inner(), waiting("cousin")])
        tasks[0].output_str = " ".join(values)

    assert (await run(process, backend)).text == "rescued cousin"
    assert seen == [("inner", (0, 0))]
    assert backend.cut == ["wait:0.05 say:near"]


async def test_two_thousand_levels_of_nesting_run_and_are_cut():
    def nested(depth):
        if depth == 0:
            yield [task("wait:0.01 say:deep")]
            return "deep"
        (value,) = yield ParallelProcess.from_generators([nested(depth - 1)])
        return value

    def process(tasks):
        (tasks[0].output_str,) = yield ParallelProcess.from_generators([nested(2000)])

    assert (await run(process)).text == "deep"

    backend = Backend()

    def hanging(depth):
        yield ParallelProcess.from_generators([hanging(depth - 1)]) if depth else [task("wait:30")]

    async with ScaffoldingLlm(Method(lambda tasks: hanging(2000)), backend) as llm:
        import asyncio

        result = llm.generate_async("go")
        while not backend.started:
            await asyncio.sleep(0.01)
        result.cancel()
        await result.ended()
    assert backend.cut == ["wait:30"]
