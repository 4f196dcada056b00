"""Controllers of programs written for TensorRT-LLM, native ones and their own."""

import asyncio
import json
import threading
from enum import Enum

import pytest

import scaffolding_core as core
from scaffolding_core import ControllerError
from scaffolding_core.tensorrt_llm import (
    BestOfNController,
    ChatTask,
    Controller,
    FunctionWorker,
    GenerationTask,
    MajorityVoteController,
    MCPCallTask,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    OpenAIToolDescription,
    ParallelProcess,
    ScaffoldingLlm,
    StreamGenerationTask,
    SystemMessage,
    Task,
    TaskStatus,
    ToolMessage,
    Worker,
)


class Echo(Worker):
    """A worker as TensorRT-LLM has them: a table of handlers that return a status."""

    closed = False

    async def generate(self, task: GenerationTask) -> TaskStatus:
        await asyncio.sleep(0.001)
        task.output_str = f"{task.input_str} = \\boxed{{{sum(map(int, task.input_str.split('+')))}}}"
        return TaskStatus.SUCCESS

    def shutdown(self):
        self.closed = True

    task_handlers = {GenerationTask: generate}


def test_a_majority_vote_over_a_list_of_prompts():
    worker = Echo()
    prototype_generation_controller = NativeGenerationController(
        sampling_params={"max_tokens": 64, "temperature": 0.9}
    )
    prototype_majority_vote_controller = MajorityVoteController(
        generation_controller=prototype_generation_controller, default_sample_num=3
    )
    llm = ScaffoldingLlm(
        prototype_majority_vote_controller, {NativeGenerationController.WorkerTag.GENERATION: worker}
    )
    results = llm.generate(["1+2", "3+4"])
    assert [result.outputs[0].text for result in results] == [r"1+2 = \boxed{3}", r"3+4 = \boxed{7}"]
    llm.shutdown(shutdown_workers=True)
    assert worker.closed


def test_a_controller_of_ones_own_with_its_own_tags_and_rounds():
    class DraftAndCheck(Controller):
        class WorkerTag(Enum):
            DRAFT = "draft"
            CHECK = "check"

        def __init__(self, rounds):
            super().__init__()
            self.rounds = rounds

        def process(self, tasks, **kwargs):
            for _ in range(self.rounds):
                draft = GenerationTask(input_str=tasks[0].input_str)
                draft.worker_tag = self.WorkerTag.DRAFT
                yield [draft]
                check = GenerationTask.create_from_prompt(draft.output_str)
                check.worker_tag = self.WorkerTag.CHECK
                yield [check]
                tasks[0].output_str = check.output_str

    class Upper(Worker):
        async def run_task(self, task):
            task.output_str = task.input_str.upper()
            return TaskStatus.SUCCESS

    class Exclaim(Worker):
        async def run_task(self, task):
            task.output_str = task.input_str + "!"

    workers = {DraftAndCheck.WorkerTag.DRAFT: Upper(), DraftAndCheck.WorkerTag.CHECK: Exclaim()}
    with ScaffoldingLlm(DraftAndCheck(2), workers) as llm:
        assert llm.generate("hello").outputs[0].text == "HELLO!"


def test_parallel_processes_two_levels_deep():
    class Wait(Controller):
        def process(self, tasks, turns=1, **kwargs):
            for _ in range(turns):
                yield tasks

    class Fan(Controller):
        def __init__(self, parts):
            super().__init__()
            self.parts = parts

        def process(self, tasks, **kwargs):
            tasks_list = [[task.copy() for task in tasks] for _ in self.parts]
            yield ParallelProcess(self.parts, tasks_list, [{"turns": 2}, {"turns": 1}])
            tasks[0].output_str = " | ".join(part[0].output_str for part in tasks_list)

    worker = Echo()
    with ScaffoldingLlm(Fan([Wait(), Fan([Wait(), Wait()])]), worker) as llm:
        text = llm.generate("1+1").outputs[0].text
    assert text.count(r"\boxed{2}") == 3


def test_best_of_n_with_a_reward_model_behind_its_tag():
    class ByLength(NativeRewardController):
        def process(self, tasks, **kwargs):
            yield from super().process(tasks, **kwargs)
            self.scores = [task.custom_output_params["score"] for task in tasks]

    class Scores(Worker):
        async def score(self, task: GenerationTask) -> TaskStatus:
            task.custom_output_params = {"score": len(task.output_str)}
            return TaskStatus.SUCCESS

        task_handlers = {GenerationTask: score}

    texts = iter(["short", "the longest one", "longer"])

    async def generate(task):
        return next(texts)

    workers = {
        NativeGenerationController.WorkerTag.GENERATION: FunctionWorker(generate),
        NativeRewardController.WorkerTag.REWARD: Scores(),
    }
    controller = BestOfNController(
        generation_controller=NativeGenerationController(sampling_params={"temperature": 1.0}),
        reward_controller=ByLength(),
        default_sample_num=3,
    )
    with ScaffoldingLlm(controller, workers) as llm:
        assert llm.generate("q").outputs[0].text == "the longest one"


async def test_async_generation_and_a_result_awaited_twice():
    llm = ScaffoldingLlm(NativeGenerationController(), {NativeGenerationController.WorkerTag.GENERATION: Echo()})
    result = llm.generate_async("2+3")
    await result.aresult()
    await result
    assert result.outputs[0].text == r"2+3 = \boxed{5}"
    await llm.aclose()


async def test_a_streamed_task_that_is_cancelled_once_it_has_said_enough():
    class UntilComma(Controller):
        def process(self, tasks, **kwargs):
            stream = StreamGenerationTask.create_from_generation_task(tasks[0], streaming_step=2)
            stream.worker_tag = NativeGenerationController.WorkerTag.GENERATION
            while not stream.end_flag:
                yield [stream]
                stream.cancel_flag = "," in stream.output_str
            tasks[0].output_str = stream.output_str

    class Typist(Worker):
        async def run_task(self, task):
            if task.cancel_flag:
                task.end_flag = True
                return
            done = len(task.output_str or "")
            task.output_str = "one, two, three"[: done + task.streaming_step]
            task.end_flag = len(task.output_str) == len("one, two, three")

    async with ScaffoldingLlm(UntilComma(), Typist()) as llm:
        assert (await llm.generate_async("go")).outputs[0].text == "one,"


def test_a_chat_that_calls_tools():
    class ChatWithTools(Controller):
        class WorkerTag(Enum):
            TOOLCALL = "tool_call"

        def __init__(self, generation_controller, tools, max_iterations=3):
            super().__init__()
            self.generation_controller = generation_controller
            self.tools = tools
            self.max_iterations = max_iterations

        def process(self, tasks, **kwargs):
            chat = ChatTask.create_from_prompt(tasks[0].input_str, [SystemMessage("use tools")], self.tools)
            for _ in range(self.max_iterations):
                yield from self.generation_controller.process([chat])
                if not chat.tool_calls:
                    break
                calls = [
                    MCPCallTask.create_mcptask(
                        call.id, call.function.name, call.function.arguments, self.WorkerTag.TOOLCALL
                    )
                    for call in chat.tool_calls
                ]
                yield calls
                chat.add_messages([ToolMessage(call.result_str, call.tool_call_id) for call in calls])
                chat.tool_calls = None
            tasks[0].output_str = chat.output_str

    async def model(task):
        from scaffolding_core import AssistantMessage, ToolCall

        last = task.messages_to_dict_content()[-1]
        if last["role"] == "tool":
            return f"it is {last['content']}"
        return AssistantMessage(None, None, [ToolCall("1", "add", '{"a": 2, "b": 3}')])

    async def tools(task: Task):
        return str(sum(json.loads(task.args).values()))

    workers = {"generation": FunctionWorker(model), ChatWithTools.WorkerTag.TOOLCALL: FunctionWorker(tools)}
    describe = OpenAIToolDescription("add", "adds", {"a": {"type": "integer"}, "b": {"type": "integer"}})
    with ScaffoldingLlm(ChatWithTools(NativeChatController(), [describe]), workers) as llm:
        assert llm.generate("2 and 3?").outputs[0].text == "it is 5"


def test_best_of_n_whose_rewards_left_no_scores_says_so():
    method = BestOfNController(NativeGenerationController(), NativeRewardController(), 2)
    with ScaffoldingLlm(method, FunctionWorker(lambda task: "x")) as llm:
        with pytest.raises(ControllerError, match="must leave a score for each of 2 samples"):
            llm.generate("q")


def test_a_vote_without_any_answer_keeps_the_first_sample():
    texts = iter(["none", "nothing"])
    method = MajorityVoteController(NativeGenerationController(), 2)
    with ScaffoldingLlm(method, FunctionWorker(lambda task: next(texts))) as llm:
        assert llm.generate("q").outputs[0].text in ("none", "nothing")


def test_a_vote_gives_the_whole_result_of_the_sample_that_won():
    async def two_of_three(task):
        task.output_tokens = [len(answers)]
        task.output_str = answers.pop()
        return TaskStatus.SUCCESS

    answers = [r"\boxed{2}", r"so \boxed{1}", r"\boxed{1}"]
    method = MajorityVoteController(NativeGenerationController({"max_tokens": 4}), default_sample_num=3)
    with ScaffoldingLlm(method, FunctionWorker(two_of_three)) as llm:
        output = llm.generate("q").outputs[0]
    assert "1" in output.text
    assert output.token_ids in ([3], [2])


def test_parameters_of_a_controller_fill_what_the_task_leaves_at_its_default(caplog):
    method = NativeGenerationController({"stop": ["a"], "n": 1, "max_tokens": 5, "temprature": 1})
    task = GenerationTask.create_from_prompt("q")
    task.max_tokens = 3
    task.worker_tag = "mine"
    next(method.process([task], anything=1))
    assert (task.stop, task.max_tokens, task.worker_tag) == (["a"], 3, "mine")
    assert "temprature is no sampling parameter" in caplog.text


def test_a_controller_that_cannot_be_copied_is_a_typed_error():
    class Locked(NativeGenerationController):
        def __init__(self):
            super().__init__()
            self.lock = threading.Lock()

    with pytest.raises(ControllerError, match=r"Locked cannot be copied .*: override clone\(\)"):
        ScaffoldingLlm(Locked(), FunctionWorker(lambda task: "x"))


@pytest.mark.parametrize("yielded", [tuple, iter, lambda tasks: (task for task in tasks)])
def test_tasks_may_be_yielded_in_any_iterable(yielded):
    class Any(NativeGenerationController):
        def process(self, tasks, **kwargs):
            for task in tasks:
                task.worker_tag = self.WorkerTag.GENERATION
            yield yielded(tasks)

    with ScaffoldingLlm(Any(), FunctionWorker(lambda task: "x")) as llm:
        assert llm.generate("q").outputs[0].text == "x"


def test_branches_may_be_wrapped_in_what_can_only_be_iterated_over():
    class Wrapper:
        def __init__(self, generator):
            self.generator = generator

        def __iter__(self):
            yield from self.generator

    class Fan(NativeGenerationController):
        def process(self, tasks, **kwargs):
            branches = [super(Fan, self).process([task]) for task in tasks]
            yield ParallelProcess.from_generators([Wrapper(branch) for branch in branches])

    with ScaffoldingLlm(Fan(), FunctionWorker(lambda task: "x")) as llm:
        assert llm.generate("q").outputs[0].text == "x"


def test_controllers_here_serve_as_parts_of_the_cores():
    method = core.MajorityVoteController(NativeGenerationController(), default_sample_num=3)
    for kind in (ScaffoldingLlm, core.ScaffoldingLlm):
        with kind(method, FunctionWorker(lambda task: r"\boxed{1}")) as llm:
            assert llm.generate("q").output.text == r"\boxed{1}"


def test_process_may_return_any_iterable():
    class Listed(NativeGenerationController):
        def process(self, tasks, **kwargs):
            return iter([*super().process(tasks)])

    class Fan(Controller):
        def process(self, tasks, **kwargs):
            yield ParallelProcess([Listed()], [tasks], [{}])

    for controller in (Listed(), Fan()):
        with ScaffoldingLlm(controller, FunctionWorker(lambda task: "x")) as llm:
            assert llm.generate("q").outputs[0].text == "x"
