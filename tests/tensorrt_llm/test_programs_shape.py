"""Programs in the shape of TensorRT-LLM's scaffolding: only their import lines differ."""

import asyncio
import json
from enum import Enum

import pytest

from scaffolding_core.tensorrt_llm import (
    BestOfNController,
    ChatTask,
    Controller,
    FunctionWorker,
    GenerationTask,
    GenerationTokenCounter,
    MajorityVoteController,
    MCPCallTask,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    OpenAIToolDescription,
    ParallelProcess,
    RewardTask,
    ScaffoldingLlm,
    StreamGenerationTask,
    SystemMessage,
    Task,
    TaskCollection,
    TaskStatus,
    ToolMessage,
    Worker,
    with_task_collection,
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


def test_task_collections_through_the_decorator():
    class CountRounds(TaskCollection):
        def __init__(self):
            super().__init__()
            self.rounds = 0

        def before_yield(self, tasks):
            self.rounds += 1

    @with_task_collection("rounds", CountRounds)
    @with_task_collection("tokens", GenerationTokenCounter)
    class Counted(MajorityVoteController):
        pass

    class Counts(Echo):
        async def generate(self, task):
            from scaffolding_core import Usage

            task.usage = Usage(completion_tokens=5)
            return await Echo.generate(self, task)

        task_handlers = {GenerationTask: generate}

    llm = ScaffoldingLlm(Counted(NativeGenerationController(), default_sample_num=4, stop_rule="full"), Counts())
    llm.enable_output_task_collection()
    results = llm.generate(["1+1", "2+2"])
    for result in results:
        assert result.task_collections["tokens"].generation_token_count == 20
        assert result.task_collections["rounds"].rounds == 4
    llm.shutdown()
    plain = ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), 2), Counts())
    assert plain.generate("1+1").task_collections == {}
    plain.shutdown()


def test_best_of_n_with_a_reward_model_behind_its_tag():
    class Scores(Worker):
        async def score(self, task: RewardTask) -> TaskStatus:
            task.reward = float(len(task.response.text))
            return TaskStatus.SUCCESS

        task_handlers = {RewardTask: score}

    texts = iter(["short", "the longest one", "longer"])

    async def generate(task):
        return next(texts)

    workers = {
        NativeGenerationController.WorkerTag.GENERATION: FunctionWorker(generate),
        NativeRewardController.WorkerTag.REWARD: Scores(),
    }
    controller = BestOfNController(
        generation_controller=NativeGenerationController(sampling_params={"temperature": 1.0}),
        reward_controller=NativeRewardController(),
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
                chat.add_message(chat.message())
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


def test_a_failing_worker_is_an_exception_not_an_empty_text():
    class Broken(Worker):
        async def run_task(self, task):
            return TaskStatus.WORKER_EXECEPTION

    from scaffolding_core import WorkerError

    with ScaffoldingLlm(NativeGenerationController(), Broken()) as llm, pytest.raises(WorkerError):
        llm.generate("q")
