"""Tools in programs written for TensorRT-LLM: workers that call them, and the chat that wants them called."""

import asyncio
import json
from urllib.parse import parse_qs

import pytest

from scaffolding_core.errors import BackendTimeoutError, ClosedError, ControllerError, InvalidRequestError
from scaffolding_core.messages import ToolCall
from scaffolding_core.tensorrt_llm.controller import (
    ChatWithMCPController,
    Controller,
    NativeChatController,
    NativeGenerationController,
    ParallelProcess,
)
from scaffolding_core.tensorrt_llm.execution_scope import ExecutionScope, current_scope
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.task import (
    AssistantMessage,
    ChatTask,
    GenerationTask,
    MCPCallTask,
    SystemMessage,
    TaskStatus,
)
from scaffolding_core.tensorrt_llm.worker import ApiaryMCPWorker, FunctionWorker, MCPWorker
from tests.eventually import until
from tests.servers.tools import tool_server

TOOLCALL = ChatWithMCPController.WorkerTag.TOOLCALL


@pytest.fixture(scope="module")
def server():
    with tool_server("sse") as server:
        yield server


def call(tool_name, **arguments):
    return MCPCallTask.create_mcptask("1", tool_name, json.dumps(arguments), TOOLCALL)


class TestMCPWorker:
    async def test_calls_return_a_status_and_leave_what_the_tool_wrote(self, server):
        worker = MCPWorker.init_with_urls([server.url])
        await worker.init_in_asyncio_event_loop()
        task = call("envelope", command="ls")
        assert await worker.run_task(task) is TaskStatus.SUCCESS
        assert (task.result_str, task.result_stdout, task.result_stderr) == ("ls", "out", "err")
        task = call("fail")
        assert await worker.run_task(task) is TaskStatus.SUCCESS
        assert task.failed
        assert "fail" in task.result_str
        await worker.async_shutdown()
        assert await worker.run_task(task) is TaskStatus.WORKER_EXECEPTION
        assert isinstance(task.error, ClosedError)

    async def test_its_shutdown_may_be_awaited_or_not(self, server):
        worker = MCPWorker([server.url])
        await worker.init_in_asyncio_event_loop()
        await worker.shutdown()
        MCPWorker([server.url]).shutdown()
        await until(lambda: len(asyncio.all_tasks()) == 1)


def test_what_a_tool_wrote_stands_in_its_message_for_traces():
    chat = ChatTask.create_from_prompt("q")
    steps = ChatWithMCPController(NativeGenerationController()).process([chat])
    next(steps)
    chat.add_message(AssistantMessage(None, tool_calls=[ToolCall("1", "run", "{}")]))
    [run] = next(steps)
    run.result_str, run.result_stdout, run.result_stderr = "ran", "out", "err"
    next(steps)
    told = chat.messages[-1]
    assert (told.content, told.trace_stdout, told.trace_stderr) == ("ran", "out", "err")
    assert told.to_dict() == {"role": "tool", "content": "ran", "tool_call_id": "1"}


class InSandboxes(Controller):
    """Calls a tool in each of some branches at once, and first in the request itself if it should."""

    def __init__(self, branches=2, first=False):
        self.branches = branches
        self.first = first

    def process(self, tasks, **kwargs):
        if self.first:
            yield [call("add", a=1, b=1)]
        yield ParallelProcess.from_generators([self.branch() for _ in range(self.branches)])
        tasks[0].output_str = "done"

    def branch(self):
        calls = [call("add", a=1, b=1), call("add", a=2, b=2)]
        yield calls
        assert [each.result_str for each in calls] == ["2", "4"]


class TestApiaryMCPWorker:
    def queries(self, server):
        return [parse_qs(query) for query in server.queries]

    async def test_each_scope_has_one_connection_with_the_requests_parameters(self, server):
        server.queries.clear()
        worker = ApiaryMCPWorker(server.url)
        llm = ScaffoldingLlm(InSandboxes(2), {TOOLCALL: worker})
        result = llm.generate_async("q")
        worker.set_scope_params(result.id, base_image=["/a", "/b"])
        assert (await result).outputs[0].text == "done"
        clients = [f"coder-{result.id}:{branch}" for branch in (0, 1)]
        assert sorted(query["client_id"][0] for query in self.queries(server)) == clients
        assert all(query["base_image"] == ["/a", "/b"] for query in self.queries(server))
        await until(lambda: len(asyncio.all_tasks()) == 1)
        llm.shutdown()

    async def test_scopes_beyond_the_most_wait_for_one_that_ends(self, server):
        async with ApiaryMCPWorker(server.url, max_connections=1) as worker:
            async with ScaffoldingLlm(InSandboxes(3), {TOOLCALL: worker}) as llm:
                assert (await llm.generate_async("q")).outputs[0].text == "done"

    async def test_scopes_that_could_wait_only_for_themselves_are_told(self, server):
        async with ApiaryMCPWorker(server.url, max_connections=1) as worker:
            async with ScaffoldingLlm(InSandboxes(2, first=True), {TOOLCALL: worker}) as llm:
                with pytest.raises(InvalidRequestError, match="raise max_connections"):
                    await llm.generate_async("q")

    async def test_who_waits_for_a_connection_waits_until_its_deadline_or_the_end(self, server):
        async def failure_of(request_id, worker):
            current_scope.set(ExecutionScope(request_id))
            task = call("wait")
            assert await worker.run_task(task) is TaskStatus.WORKER_EXECEPTION
            return task.error

        worker = ApiaryMCPWorker(server.url, max_connections=1)
        holds = asyncio.create_task(failure_of("1", worker))
        await until(lambda: server.waiting)
        worker.timeout = 0.01
        assert isinstance(await failure_of("2", worker), BackendTimeoutError)
        worker.timeout = 60
        waits = asyncio.create_task(failure_of("3", worker))
        await asyncio.sleep(0)  # until it waits
        await worker.async_shutdown()
        assert {type(await each) for each in (holds, waits)} == {ClosedError}

    async def test_a_connection_that_fails_fails_its_call_alone(self, server, monkeypatch):
        monkeypatch.setattr("scaffolding_core.workers.mcp.session._PAUSES", ())
        async with ApiaryMCPWorker(server.url) as worker:
            worker.base_url = "http://127.0.0.1:9/sse"
            assert await worker.run_task(call("add", a=1, b=1)) is TaskStatus.WORKER_EXECEPTION
            worker.base_url = server.url
            assert await worker.run_task(call("add", a=1, b=1)) is TaskStatus.SUCCESS


def asking(*turns):
    """A model that says these things, one a turn; a text is an answer, calls are calls."""
    turns = iter(turns)

    def say(task):
        said = next(turns)
        return said if isinstance(said, str) else AssistantMessage(None, tool_calls=list(said))

    return FunctionWorker(say)


def add(a, b, its_id="1"):
    return ToolCall(its_id, "add", json.dumps({"a": a, "b": b}))


class TestChatWithMCPController:
    def run(self, model, tools, prompt="How much?", **options):
        method = ChatWithMCPController(NativeGenerationController(), [SystemMessage("Count.")], **options)
        workers = {NativeGenerationController.WorkerTag.GENERATION: model, TOOLCALL: tools}
        with ScaffoldingLlm(method, workers) as llm:
            return llm.generate(prompt).outputs[0].text

    def test_the_model_reads_what_its_tools_say(self, server):
        seen = []

        def say(task):
            seen.append([(message.role, message.content) for message in task.messages])
            return AssistantMessage(None, tool_calls=[add(1, 2), add(3, 4, "2")]) if len(seen) == 1 else "3 and 7"

        assert self.run(FunctionWorker(say), MCPWorker([server.url])) == "3 and 7"
        assert seen[-1] == [
            ("system", "Count."),
            ("user", "How much?"),
            ("assistant", None),
            ("tool", "3"),
            ("tool", "7"),
        ]

    def test_after_the_last_turn_the_answer_is_what_the_model_said(self, server):
        said = iter(["Let me see.", None])
        model = FunctionWorker(lambda task: AssistantMessage(next(said), tool_calls=[add(1, 2)]))
        assert self.run(model, MCPWorker([server.url]), max_iterations=2) == "Let me see."

    def test_a_call_that_fails_is_the_models_to_read_and_so_are_those_that_it_stops(self):
        done = []

        async def run_tool(task):
            if task.tool_name == "quick":
                done.append(task)
                return "fine"
            await until(lambda: done)
            if task.tool_name == "late":
                raise BackendTimeoutError("too late")
            await asyncio.Event().wait()
            return ""

        wanted = [ToolCall(name, name, "{}") for name in ("late", "quick", "slow")]
        heard = []

        def say(task):
            heard.extend(message.content for message in task.messages if message.role == "tool")
            return "never mind" if heard else AssistantMessage(None, tool_calls=wanted)

        assert self.run(FunctionWorker(say), FunctionWorker(run_tool)) == "never mind"
        assert heard == [
            "Error: too late",
            "fine",
            "Error: this call was stopped because another one failed: too late",
        ]

    @pytest.mark.parametrize("its_id", [{}, {"id": "7"}])
    def test_calls_come_in_the_shape_of_any_client(self, server, its_id):
        wanted = {"function": {"name": "add", "arguments": '{"a": 1, "b": 1}'}, **its_id}
        assert self.run(asking([wanted], "2"), MCPWorker([server.url])) == "2"

    def test_under_another_method_a_text_is_answered_too(self, server):
        class Twice(Controller):
            def process(self, tasks, **kwargs):
                yield from ChatWithMCPController(NativeChatController()).process(tasks)

        workers = {
            NativeGenerationController.WorkerTag.GENERATION: asking([add(1, 1)], "two"),
            TOOLCALL: MCPWorker([server.url]),
        }
        with ScaffoldingLlm(Twice(), workers) as llm:
            assert llm.generate("q").outputs[0].text == "two"

    def test_several_tasks_at_once_are_refused(self):
        with pytest.raises(ControllerError, match="one task at a time"):
            next(ChatWithMCPController(NativeGenerationController()).process([ChatTask(), GenerationTask()]))
