"""Programs in the shape of TensorRT-LLM's scaffolding that bring tasks, workers and entry points of their own."""

import asyncio
import copy
from enum import Enum

import pytest

from scaffolding_core.tensorrt_llm import (
    ChatTask,
    Controller,
    ControllerError,
    Delta,
    FinalEvent,
    FunctionWorker,
    GenerationTask,
    MajorityVoteController,
    NativeGenerationController,
    ParallelProcess,
    ScaffoldingLlm,
    ScaffoldingOutput,
    StreamGenerationTask,
    Task,
    TaskCollection,
    TaskStatus,
    TokenEvent,
    UserMessage,
    Worker,
    get_digit_majority_vote_result,
    with_task_collection,
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


def test_generate_that_returns_no_output_is_an_error_and_does_not_hang():
    class Forgets(Controller):
        def generate(self, prompt, **kwargs):
            yield []

    with ScaffoldingLlm(Forgets(), CountWorker()) as llm:
        with pytest.raises(ControllerError, match=r"generate\(\) of Forgets must return a ScaffoldingOutput"):
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


async def test_a_result_is_iterated_while_it_streams():
    class Streaming(NativeGenerationController):
        def process(self, tasks, **kwargs):
            for task in tasks:
                task.worker_tag = self.WorkerTag.GENERATION
                task.streaming_output_flag = True
            yield tasks

    async def type_out(task):
        for piece in ("a", "b"):
            if task.streaming_output_flag:
                task.scope.emit(Delta(piece))
            await asyncio.sleep(0.01)
        return "ab"

    async with ScaffoldingLlm(Streaming(), {Streaming.WorkerTag.GENERATION: FunctionWorker(type_out)}) as llm:
        result = llm.generate_async("q")
        events = [event async for event in result]
        assert [event.text for event in events if isinstance(event, TokenEvent)] == ["a", "b"]
        assert isinstance(events[-1], FinalEvent)
        assert (await result).outputs[0].text == "ab"


def test_a_stream_in_steps_that_is_cancelled_under_a_task_collection():
    class Steps(TaskCollection):
        def __init__(self, limit):
            super().__init__()
            self.limit = limit
            self.steps = 0

        def after_yield(self, tasks):
            self.steps += 1
            for task in tasks:
                task.cancel_flag = self.steps >= self.limit

        @staticmethod
        def get_global_info():
            return "steps"

    @with_task_collection("steps", Steps, limit=3)
    class ByStep(Controller):
        def process(self, tasks, **kwargs):
            stream = StreamGenerationTask.create_from_generation_task(tasks[0], streaming_step=2)
            stream.worker_tag = NativeGenerationController.WorkerTag.GENERATION
            while not stream.end_flag:
                yield [stream]
            tasks[0].output_str = stream.output_str

    async def step(worker, task):
        if task.cancel_flag:
            task.end_flag = True
        else:
            task.output_str = (task.output_str or "") + "x" * task.streaming_step

    worker = Worker()
    worker.register_task_handler(StreamGenerationTask, step)
    with ScaffoldingLlm(ByStep(), worker) as llm:
        llm.enable_output_task_collection()
        result = llm.generate("q")
    assert result.outputs[0].text == "xxxxxx"
    assert result.task_collections["steps"].steps == 4
    assert Steps.get_global_info() == "steps"
    assert TaskCollection.get_global_info() is None


def test_a_vote_of_ones_own_with_the_helpers_for_boxed_answers():
    class Boxed(MajorityVoteController):
        def majority_vote(self, candidates_tasks, **kwargs):
            return get_digit_majority_vote_result([tasks[0].output_str for tasks in candidates_tasks])

    texts = iter([r"\boxed{8}", "no box", r"so \boxed{7}", r"\boxed{7}"])
    with ScaffoldingLlm(Boxed(NativeGenerationController(), 4), FunctionWorker(lambda task: next(texts))) as llm:
        result = llm.generate("q")
    assert (result.outputs[0].text, result.outputs[0].answer) == (r"so \boxed{7}", "7")
