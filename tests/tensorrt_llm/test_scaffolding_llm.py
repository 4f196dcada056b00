"""ScaffoldingLlm, its results, its scopes and its workers' statuses, as programs for TensorRT-LLM use them."""

import asyncio

import pytest

import scaffolding_core as core
from scaffolding_core import ControllerError, Delta, UnsupportedTaskError, Usage, WorkerError
from scaffolding_core.tensorrt_llm import (
    AssistantMessage,
    ChatTask,
    Controller,
    FunctionWorker,
    GenerationTask,
    NativeChatController,
    NativeGenerationController,
    ParallelProcess,
    ScaffoldingLlm,
    ScaffoldingOutput,
    TaskStatus,
    UserMessage,
    Worker,
    current_scope,
)
from scaffolding_core.workers.wrapping import WrappingWorker

GENERATION = NativeGenerationController.WorkerTag.GENERATION


class Refuses(Worker):
    async def run_task(self, task):
        return TaskStatus.WORKER_EXECEPTION


class Explains(Worker):
    async def run_task(self, task):
        task.error = WorkerError("the disk is full")
        return TaskStatus.WORKER_EXECEPTION


class Cannot(Worker):
    async def run_task(self, task):
        return TaskStatus.WORKER_NOT_SUPPORTED


class Raises(Worker):
    async def generate(self, task):
        raise OSError("the disk is full")

    task_handlers = {GenerationTask: generate}


@pytest.mark.parametrize(
    ("worker", "error", "words"),
    [
        (Refuses(), WorkerError, "Refuses failed to run a GenerationTask"),
        (Explains(), WorkerError, "the disk is full"),
        (Cannot(), UnsupportedTaskError, "Cannot cannot run a GenerationTask"),
        (Worker(), UnsupportedTaskError, "Worker cannot run a GenerationTask"),
        (Raises(), WorkerError, "Raises failed: OSError: the disk is full"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Worker) else None,
)
def test_a_failing_worker_is_an_error_at_the_caller_and_in_the_controller(worker, error, words):
    class Catches(NativeGenerationController):
        def process(self, tasks, **kwargs):
            try:
                yield from super().process(tasks)
            except error as caught:
                tasks[0].output_str = f"caught: {caught}"

    with ScaffoldingLlm(NativeGenerationController(), {GENERATION: worker}) as llm:
        with pytest.raises(error, match=words):
            llm.generate("q")
    with ScaffoldingLlm(Catches(), {GENERATION: worker}) as llm:
        assert words in llm.generate("q").outputs[0].text


async def test_a_worker_that_is_called_by_hand_says_how_it_ended_and_why():
    async def fails(task):
        raise WorkerError("out of paper")

    task = GenerationTask.create_from_prompt("q")
    assert await FunctionWorker(lambda task: "a").run_task(task) is TaskStatus.SUCCESS
    assert await FunctionWorker(fails).run_task(task) is TaskStatus.WORKER_EXECEPTION
    assert str(task.error) == "out of paper"
    assert await Worker().run_task(task) is TaskStatus.WORKER_NOT_SUPPORTED


class Fails(Worker):
    async def generate(self, task):
        task.usage = Usage(prompt_tokens=100)
        raise WorkerError("the disk is full")

    task_handlers = {GenerationTask: generate}


@pytest.mark.parametrize("base", [Worker, object])
def test_a_worker_of_ones_own_reads_the_status_of_another(base):
    def answer(task):
        task.usage = Usage(prompt_tokens=1)
        return f"without {task.input_str}"

    class FallsBack(base):
        async def run_task(self, task):
            status = await Fails().run_task(task)
            if status is not TaskStatus.SUCCESS:
                status = await FunctionWorker(answer).run_task(task)
            return status

    class Tells(base):
        async def run_task(self, task):
            return await Fails().run_task(task)

    class Forgets(base):
        async def run_task(self, task):
            await Fails().run_task(task)

    with ScaffoldingLlm(NativeGenerationController(), {GENERATION: FallsBack()}) as llm:
        result = llm.generate("q")
        assert (result.outputs[0].text, result.usage.prompt_tokens) == ("without q", 101)
        for worker in (Tells(), Forgets()):
            llm.workers[GENERATION] = worker
            with pytest.raises(WorkerError, match="the disk is full"):
                llm.generate("q")


def test_a_worker_of_the_core_hears_of_a_failure():
    heard = []

    class Hears(WrappingWorker):
        async def run_task(self, task):
            try:
                await super().run_task(task)
            except WorkerError as error:
                heard.append(str(error))
                raise

    with ScaffoldingLlm(NativeGenerationController(), Hears(Fails())) as llm:
        with pytest.raises(WorkerError, match="the disk is full"):
            llm.generate("q")
    assert heard == ["the disk is full"]


async def test_a_chat_that_was_answered_ends_with_the_answer_once():
    class Appends(Worker):
        async def chat(self, task):
            task.messages.append(AssistantMessage("mine"))
            task.output_str = "mine"
            return TaskStatus.SUCCESS

        task_handlers = {ChatTask: chat}

    for worker, text in ((FunctionWorker(lambda task: "theirs"), "theirs"), (Appends(), "mine")):
        chat = ChatTask.create_from_messages([UserMessage("q")])
        await worker.run_task(chat)
        assert [message.content for message in chat.messages] == ["q", text]


def test_an_answer_that_a_worker_has_only_appended_is_the_tasks():
    class Appends(Worker):
        async def chat(self, task):
            task.messages.append(AssistantMessage(f"to {task.messages[-1].content}"))
            task.finish_reason = "stop"
            return TaskStatus.SUCCESS

        task_handlers = {ChatTask: chat}

    with ScaffoldingLlm(NativeChatController(), Appends()) as llm:
        assert llm.generate("q").outputs[0].text == "to q"


def test_a_worker_with_handlers_for_tasks_here_serves_methods_of_the_core():
    class Adds(Worker):
        async def chat(self, task):
            task.add_message(AssistantMessage(f"to {task.messages[-1].content} at {task.temperature}"))
            task.my_note = task.usage = Usage(prompt_tokens=5)
            return TaskStatus.SUCCESS

        task_handlers = {ChatTask: chat}

    method = core.NativeChatController({"temperature": 0.5})
    for kind in (ScaffoldingLlm, core.ScaffoldingLlm):
        with kind(method, Adds()) as llm:
            result = llm.generate("q")
        assert (result.output.text, result.usage.prompt_tokens) == ("to q at 0.5", 5)


async def test_a_turn_that_brings_nothing_does_not_end_with_the_answer_of_the_last():
    class Once(Worker):
        async def run_task(self, task):
            if len(task.messages) > 1:
                return TaskStatus.WORKER_EXECEPTION
            task.output_str = "first"
            return TaskStatus.SUCCESS

    class TwoTurns(Controller):
        def process(self, tasks, **kwargs):
            chat = ChatTask.create_from_prompt(tasks[0].input_str)
            yield [chat]
            try:
                yield [chat]
            except WorkerError:
                tasks[0].output_str = f"{[message.role for message in chat.messages]} {chat.output_str}"

    async with ScaffoldingLlm(TwoTurns(), Once()) as llm:
        assert (await llm.generate_async("q")).outputs[0].text == "['user', 'assistant'] None"


def test_a_worker_may_come_later_and_its_mapping_is_the_callers():
    workers = {}
    with ScaffoldingLlm(NativeGenerationController(), workers) as llm:
        workers[GENERATION] = FunctionWorker(lambda task: "x")
        assert llm.generate("q").outputs[0].text == "x"


async def test_a_result_hands_itself_out_while_it_streams():
    async def type_out(task):
        for piece in ("a", "b", "c"):
            task.scope.emit(Delta(piece))
            await asyncio.sleep(0)
        return "abc"

    seen = []
    for streaming in (True, False):
        method = NativeGenerationController(streaming=streaming)
        async with ScaffoldingLlm(method, {GENERATION: FunctionWorker(type_out)}) as llm:
            result = llm.generate_async("q")
            assert (result.outputs, result.cur_output, result.finished) == ([], None, False)
            seen.append([each.outputs[0].text async for each in result])
            assert isinstance(result.id, str)
            assert result.cur_output is result.outputs[0]
    assert seen == [["a", "ab", "abc", "abc"], ["abc"]]


async def test_a_worker_may_list_what_it_streams_itself():
    class Lists(Worker):
        async def run_task(self, task):
            task.streaming_output_list += [ScaffoldingOutput(text, [0]) for text in ("a", "ab")]
            task.output_str = "abc"
            return TaskStatus.SUCCESS

    async with ScaffoldingLlm(NativeGenerationController(streaming=True), Lists()) as llm:
        seen = []
        async for result in llm.generate_async("q"):
            while not result.finished:
                await asyncio.sleep(0)
            seen.append(result.outputs[0].text)
    assert (seen, result.outputs[0].text) == (["a", "ab", "abc"], "abc")


def test_the_text_of_an_output_may_be_set():
    output = ScaffoldingOutput("a", [1], {"k": 1})
    output.text = "b"
    assert (output.text, output.output_str, output.token_ids, output.data) == ("b", "b", [1], {"k": 1})
    assert (ScaffoldingOutput().text, ScaffoldingOutput(text="t").text) == ("", "t")


class Scoped(Worker):
    """Notes the scope of each call, and each end of one."""

    def __init__(self):
        self.calls, self.ended = [], []

    async def run_task(self, task):
        self.calls.append(current_scope.get().branch_path)
        task.output_str = current_scope.get().scope_id
        return TaskStatus.SUCCESS

    async def on_scope_end(self, scope_id):
        for _ in range(5 if ":" in scope_id else 0):  # a sandbox takes its time
            await asyncio.sleep(0)
        self.ended.append(scope_id)


class Tree(Controller):
    """A fork of two, of which the second forks again."""

    def __init__(self, paths=None, fails=False):
        self.paths, self.fails, self.seen = paths, fails, []

    def process(self, tasks, depth=0, **kwargs):
        self.seen.append(current_scope.get().branch_path)
        tasks[0].worker_tag = "w"
        yield tasks
        if depth < 2:
            parts = [[task.copy() for task in tasks] for _ in range(2)]
            yield ParallelProcess(
                [self, self], parts, [{"depth": 2}, {"depth": depth + 1}], branch_paths=self.paths
            )
            tasks[0].seen = self.seen
        elif self.fails:
            raise ControllerError("a branch fails")


def test_each_branch_runs_in_a_scope_of_its_own_that_ends():
    worker = Scoped()
    with ScaffoldingLlm(Tree(), {"w": worker}) as llm:
        result = llm.generate("q")
    assert sorted(worker.calls) == [(), (0,), (1,), (1, 0), (1, 1)]
    assert result.outputs[0].text == result.id
    assert sorted(worker.ended) == sorted(result.id + end for end in ("", ":0", ":1", ":1.0", ":1.1"))
    assert worker.ended[-1] == result.id
    assert current_scope.get() is None


def test_a_scope_ends_where_its_branch_fails_or_is_cut_too():
    worker = Scoped()
    with ScaffoldingLlm(Tree(fails=True), {"w": worker}) as llm:
        with pytest.raises(ControllerError, match="a branch fails"):
            llm.generate("q")
    assert [end.partition(":")[2] for end in worker.ended][-1] == ""
    assert {"0", "1"} <= {end.partition(":")[2] for end in worker.ended}


def test_a_program_may_say_the_paths_of_its_branches():
    worker = Scoped()
    with ScaffoldingLlm(Tree(paths=[(7,), (8, 1)]), {"w": worker}) as llm:
        llm.generate("q")
    assert set(worker.calls) == {(), (7,), (8, 1)}


def test_a_prompt_is_what_the_controller_takes():
    class OfDict(Controller):
        def generate(self, prompt, **kwargs):
            yield []
            return ScaffoldingOutput(prompt["question"] if prompt else "nothing")

    with ScaffoldingLlm(OfDict(), {}) as llm:
        results = llm.generate([{"question": "a"}, {"question": "b"}])
        assert [result.outputs[0].text for result in results] == ["a", "b"]
        assert llm.generate({}).outputs[0].text == "nothing"


async def test_what_tells_where_it_runs():
    llm = ScaffoldingLlm(NativeGenerationController(), {}, max_parallel_requests=3)
    assert (llm.own_loop, llm.loop is asyncio.get_running_loop(), llm.max_parallel_requests) == (False, True, 3)
    await llm.aclose()


async def test_workers_close_on_a_running_loop_once_it_goes_on():
    closed = asyncio.Event()

    class Closes(Worker):
        async def async_shutdown(self):
            closed.set()

    ScaffoldingLlm(NativeGenerationController(), {GENERATION: Closes()}).shutdown(shutdown_workers=True)
    await closed.wait()


def test_workers_close_on_the_loop_that_ran_them():
    class Bound(Worker):
        loops = ()

        async def run_task(self, task):
            self.loops = (asyncio.get_running_loop(),)
            task.output_str = "x"
            return TaskStatus.SUCCESS

        async def async_shutdown(self):
            self.loops += (asyncio.get_running_loop(),)

    worker = Bound()
    llm = ScaffoldingLlm(NativeGenerationController(), {GENERATION: worker})
    assert llm.own_loop
    llm.generate("q")
    assert llm.loop is worker.loops[0]
    llm.shutdown(shutdown_workers=True)
    assert worker.loops[0] is worker.loops[1]
