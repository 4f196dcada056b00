"""Programs in the shape of TensorRT-LLM's scaffolding that bring tasks, workers and entry points of their own."""

import asyncio
import copy
from enum import Enum

import pytest

from scaffolding_core import ControllerError
from scaffolding_core.tensorrt_llm import (
    ChatTask,
    Controller,
    FunctionWorker,
    GenerationTask,
    NativeGenerationController,
    ParallelProcess,
    ScaffoldingLlm,
    ScaffoldingOutput,
    Task,
    TaskStatus,
    UserMessage,
    Worker,
)


class CountTask(Task):
    """As TensorRT-LLM's own tests write tasks: with an `__init__` that does not call the base's."""

    def __init__(self, turns):
        self.turns = turns
        self.numbers = []

    @staticmethod
    def create_from_prompt(prompt):
        return CountTask(len(prompt))

    def create_scaffolding_output(self):
        return ScaffoldingOutput(" ".join(map(str, self.numbers)), list(self.numbers))


class CountController(Controller):
    class WorkerTag(Enum):
        COUNT = "count"

    def generate(self, prompt, **kwargs):
        task = CountTask.create_from_prompt(prompt)
        yield from self.process([task], **kwargs)
        return task.create_scaffolding_output()

    def process(self, tasks, **kwargs):
        for turn in range(tasks[0].turns):
            for task in tasks:
                task.worker_tag = self.WorkerTag.COUNT
                task.turn = turn
            yield tasks


class CountWorker(Worker):
    async def count(self, task: CountTask) -> TaskStatus:
        await asyncio.sleep(0)
        task.numbers.append(task.turn)
        return TaskStatus.SUCCESS

    task_handlers = {CountTask: count}


def test_a_controller_that_makes_a_task_of_its_own_in_generate():
    llm = ScaffoldingLlm(CountController(), {CountController.WorkerTag.COUNT: CountWorker()})
    results = llm.generate(["abc", "a"])
    assert [result.outputs[0].text for result in results] == ["0 1 2", "0"]
    assert results[0].outputs[0].token_ids == [0, 1, 2]
    llm.shutdown(shutdown_workers=True)


def test_own_tasks_in_parallel_processes_two_levels_deep():
    class Fan(CountController):
        def __init__(self, controllers):
            super().__init__()
            self.controllers = controllers

        def process(self, tasks, **kwargs):
            tasks_list = [copy.deepcopy(tasks) for _ in self.controllers]
            yield ParallelProcess(self.controllers, tasks_list, [{} for _ in self.controllers])
            for parts in tasks_list:
                tasks[0].numbers.extend(parts[0].numbers)

    prototype = Fan([CountController(), Fan([CountController(), CountController()])])
    with ScaffoldingLlm(prototype, {CountController.WorkerTag.COUNT: CountWorker()}) as llm:
        assert llm.generate("ab").outputs[0].text == "0 1 0 1 0 1"


def test_generate_gets_the_options_of_the_request():
    class Twice(Controller):
        def generate(self, prompt, times=2, temperature=None):
            task = GenerationTask(input_str=f"{prompt * times} at {temperature}")
            task.worker_tag = NativeGenerationController.WorkerTag.GENERATION
            yield [task]
            return task.create_scaffolding_output()

    with ScaffoldingLlm(Twice(), FunctionWorker(lambda task: task.input_str)) as llm:
        assert llm.generate("a").text == "aa at None"
        assert llm.generate("a", times=3, temperature=0.5).text == "aaa at 0.5"
        with pytest.raises(ValueError, match="'turns' is neither"):
            llm.generate("a", turns=3)


@pytest.mark.parametrize(("returned", "text"), [(None, ""), ("a text", "a text")])
def test_generate_may_return_nothing_or_a_text(returned, text):
    class Returns(Controller):
        def generate(self, prompt, **kwargs):
            yield []
            return returned

    with ScaffoldingLlm(Returns(), CountWorker()) as llm:
        assert llm.generate("").outputs[0].text == text


def test_generate_may_return_an_output_of_its_own():
    class Verdict:
        text, score = "a", 0.5

    class Judges(Controller):
        def generate(self, prompt, **kwargs):
            yield []
            return Verdict()

    with ScaffoldingLlm(Judges(), CountWorker()) as llm:
        result = llm.generate("q")
    assert (result.outputs[0].score, result.cur_output.text, result.output.text) == (0.5, "a", "a")


def test_generate_that_returns_something_else_is_a_typed_error():
    class Forgets(Controller):
        def generate(self, prompt, **kwargs):
            yield []
            return 7

    with ScaffoldingLlm(Forgets(), CountWorker()) as llm:
        with pytest.raises(ControllerError, match="Forgets must return a ScaffoldingOutput, got int"):
            llm.generate("a")


def test_a_generate_of_ones_own_may_build_on_that_of_the_base():
    class Loud(NativeGenerationController):
        def generate(self, prompt, **kwargs):
            output = yield from super().generate(prompt.strip(), **kwargs)
            return ScaffoldingOutput(output.text.upper(), output.token_ids, {"quiet": output.text})

    worker = FunctionWorker(lambda task: f"{task.input_str} {task.max_tokens}")
    with ScaffoldingLlm(Loud(), worker) as llm:
        output = llm.generate("  hello ", max_tokens=7).outputs[0]
    assert (output.text, output.data) == ("HELLO 7", {"quiet": "hello 7"})


async def test_every_task_makes_an_output():
    task = GenerationTask.create_from_prompt("q")
    task.output_str, task.output_tokens = "text", [1, 2]
    output = task.create_scaffolding_output()
    assert (output.text, output.token_ids) == ("text", [1, 2])
    assert ChatTask.create_from_messages([UserMessage("q")]).create_scaffolding_output().text == ""
    assert Task().create_scaffolding_output().text == ""
