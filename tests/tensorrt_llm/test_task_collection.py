"""Task collections see what a controller and its branches yield, and change nothing of it."""

import copy

import pytest

from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import Usage
from scaffolding_core.tensorrt_llm.controller import (
    Controller,
    MajorityVoteController,
    NativeGenerationController,
    ParallelProcess,
)
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.task import GenerationTask, StreamGenerationTask, TaskStatus
from scaffolding_core.tensorrt_llm.task_collection import (
    GenerationTokenCounter,
    TaskCollection,
    TaskTimer,
    with_task_collection,
)
from scaffolding_core.tensorrt_llm.worker import FunctionWorker, Worker

TAG = NativeGenerationController.WorkerTag.GENERATION


class Seen(TaskCollection):
    """Notes what it is told."""

    def __init__(self):
        super().__init__()
        self.told = []

    def before_yield(self, tasks):
        self.told.append(("before", len(tasks)))

    def after_yield(self, tasks):
        self.told.append(("after", len(tasks)))

    def after_failure(self, tasks):
        self.told.append(("failed", len(tasks)))

    def on_parallel_start(self, num_branches):
        self.told.append(("start", num_branches))

    def on_parallel_end(self, num_branches):
        self.told.append(("end", num_branches))


def five_tokens(task):
    task.output_str, task.output_tokens = "five", [1, 2, 3, 4, 5]


def run(controller, worker=five_tokens):
    """The collections of one request."""
    worker = FunctionWorker(worker) if callable(worker) else worker
    with ScaffoldingLlm(controller, {TAG: worker}) as llm:
        llm.enable_output_task_collection()
        return llm.generate("q").task_collections


class One(Controller):
    def process(self, tasks, **kwargs):
        tasks[0].worker_tag = TAG
        yield tasks


class Fan(Controller):
    def __init__(self, *parts):
        self.parts = parts

    def process(self, tasks, **kwargs):
        tasks_list = [copy.deepcopy(tasks) for _ in self.parts]
        yield ParallelProcess(self.parts, tasks_list, [{} for _ in self.parts])
        tasks[0].output_str = "done"


def of(base, **collections):
    """A class of its own with these collections."""

    class Collected(base):
        pass

    for name, collection in collections.items():
        with_task_collection(name, collection)(Collected)
    return Collected


def test_a_collection_is_told_of_each_list_before_and_after_it_ran():
    assert run(of(One, seen=Seen)())["seen"].told == [("before", 1), ("after", 1)]


def test_it_sees_branches_and_their_branches():
    told = run(of(Fan, seen=Seen)(One(), Fan(One(), One())))["seen"].told
    assert told[0] == ("start", 2)
    assert told[-1] == ("end", 2)
    assert sorted(told) == [("after", 1)] * 3 + [("before", 1)] * 3 + [("end", 2)] * 2 + [("start", 2)] * 2


def test_every_controller_has_its_own_from_its_init_on_whoever_makes_it():
    Inner = of(One, seen=Seen)

    class Outer(Controller):
        def process(self, tasks, **kwargs):
            inner = Inner()
            assert inner.task_collections["seen"].told == []
            yield ParallelProcess([inner], [tasks], [{}])
            tasks[0].output_str = str(inner.task_collections["seen"].told)

    with ScaffoldingLlm(Outer(), {TAG: FunctionWorker(five_tokens)}) as llm:
        assert llm.generate("q").outputs[0].text == "[('before', 1), ('after', 1)]"


def test_each_request_has_a_collection_of_its_own():
    prototype = of(One, seen=Seen)()
    with ScaffoldingLlm(prototype, {TAG: FunctionWorker(five_tokens)}) as llm:
        llm.enable_output_task_collection()
        results = llm.generate(["a", "b"])
    assert [result.task_collections["seen"].told for result in results] == 2 * [[("before", 1), ("after", 1)]]
    assert prototype.task_collections["seen"].told == []


def test_a_controller_made_before_its_class_was_decorated_is_watched():
    class Late(One):
        pass

    controller = Late()
    with_task_collection("seen", Seen)(Late)
    assert run(controller)["seen"].told == [("before", 1), ("after", 1)]


@pytest.mark.parametrize("twice", ["the same class", "a subclass", "a subclass that calls it", "from inside"])
def test_what_is_decorated_twice_with_one_name_is_told_of_once(twice):
    Base = of(One, seen=Seen)

    class Calls(Base):
        def process(self, tasks, **kwargs):
            yield from super().process(tasks, **kwargs)

    class Delegates(Base):
        def process(self, tasks, **kwargs):
            return super().process(tasks, **kwargs)

    class Sub(Base):
        pass

    class Forks(Base):
        def process(self, tasks, again=True, **kwargs):
            if again:
                yield ParallelProcess([self], [tasks], [{"again": False}])
            else:
                yield from super().process(tasks)

    known = {"the same class": Base, "a subclass": Sub, "a subclass that calls it": Calls, "from inside": Forks}
    decorated = with_task_collection("seen", Seen)(known[twice])
    told = run(decorated())["seen"].told
    assert [event for event in told if event[0] in ("before", "after")] == [("before", 1), ("after", 1)]
    assert run(with_task_collection("seen", Seen)(Delegates)())["seen"].told == [("before", 1), ("after", 1)]


def test_what_a_controller_returns_catches_and_closes_goes_through():
    class Tries(Controller):
        def process(self, tasks, **kwargs):
            tasks[0].worker_tag = TAG
            try:
                yield tasks
            except WorkerError as error:
                yield tasks
                return f"caught {error.task is tasks[0]}"

    class Tells(of(Tries, seen=Seen)):
        def generate(self, prompt, **kwargs):
            task = GenerationTask.create_from_prompt(prompt)
            task.output_str = yield from self.process([task])
            return task.create_scaffolding_output()

    failures = [WorkerError("no")]

    def fails(task):
        if failures:
            raise failures.pop()
        return "x"

    with ScaffoldingLlm(Tells(), {TAG: FunctionWorker(fails)}) as llm:
        llm.enable_output_task_collection()
        result = llm.generate("q")
    assert result.outputs[0].text == "caught True"
    assert result.task_collections["seen"].told == [("before", 1), ("failed", 1), ("before", 1), ("after", 1)]

    controller = Tells()
    steps = controller.process([GenerationTask()])
    next(steps)
    steps.close()
    assert controller.task_collections["seen"].told == [("before", 1), ("failed", 1)]


def test_methods_of_the_core_are_seen_too():
    import scaffolding_core

    class Core(Controller):
        def process(self, tasks, **kwargs):
            vote = scaffolding_core.MajorityVoteController(scaffolding_core.NativeGenerationController(), 3)
            tasks[0].worker_tag = TAG
            yield from vote.process(tasks)

    told = run(of(Core, seen=Seen)(), lambda task: r"\boxed{1}")["seen"].told
    assert told.count(("before", 1)) == 3
    assert told.count(("after", 1)) >= 2  # two of three settle the vote
    assert len(told) == 6


class TestGenerationTokenCounter:
    @pytest.mark.parametrize("tells", ["output_tokens", "usage"])
    def test_it_counts_what_samples_write_at_the_same_time(self, tells):
        def generate(task):
            five_tokens(task)
            if tells == "usage":
                task.output_tokens, task.usage = None, Usage(completion_tokens=5)

        controller = of(MajorityVoteController, tokens=GenerationTokenCounter)(NativeGenerationController(), 4)
        assert run(controller, generate)["tokens"].generation_token_count == 20

    def test_of_a_stream_in_steps_it_counts_what_is_new_and_of_a_second_run_all(self):
        class Steps(Controller):
            def process(self, tasks, **kwargs):
                stream = StreamGenerationTask.create_from_generation_task(tasks[0], 2)
                stream.worker_tag = tasks[0].worker_tag = TAG
                for _ in range(3):
                    yield [stream]
                yield tasks
                tasks[0].input_str = "again"
                yield tasks

        class Writes(Worker):
            async def run_task(self, task):
                if isinstance(task, StreamGenerationTask):
                    task.output_tokens = [*(task.output_tokens or ()), 1, 2]
                else:
                    task.output_tokens = [len(task.input_str)] * 5
                return TaskStatus.SUCCESS

        tokens = run(of(Steps, tokens=GenerationTokenCounter)(), Writes())["tokens"]
        assert tokens.generation_token_count == 3 * 2 + 5 + 5


def test_a_timer_times_the_classes_it_is_given():
    TaskTimer.statistics.pop("timed", None)

    @with_task_collection("timer", TaskTimer, statistics_name="timed", task_types=[GenerationTask])
    class Timed(Fan):
        pass

    assert TaskTimer.statistics.get("timed") is None
    run(Timed(One(), One()))
    (seconds,) = TaskTimer.get_global_info()["timed"].values()
    assert len(seconds) == 2
    assert all(second >= 0 for second in seconds)
