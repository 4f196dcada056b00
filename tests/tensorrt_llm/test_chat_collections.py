"""Collections over an agent's chats and tool calls: counts, metrics, marks, traces, and what is to be dropped."""

import json
from contextlib import contextmanager

import pytest

from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import ToolCall, Usage
from scaffolding_core.tensorrt_llm.controller import Controller, NativeGenerationController
from scaffolding_core.tensorrt_llm.execution_trace import ExecutionTrace
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.task import (
    AssistantMessage,
    ChatTask,
    DropKVCacheTask,
    GenerationTask,
    MCPCallTask,
    SystemMessage,
    TaskStatus,
    TokenizeTask,
    ToolMessage,
)
from scaffolding_core.tensorrt_llm.task_collection import (
    ChatTokenCounter,
    DropKVCacheWorkerTag,
    QueryCollector,
    SubRequestMarker,
    TaskMetricsCollector,
    TokenizeWorkerTag,
    drop_kv_cache_scope,
    sub_request_node,
    tokenize_trace_scope,
    with_execution_tracing,
    with_task_collection,
)
from scaffolding_core.tensorrt_llm.worker import Worker

TAG = NativeGenerationController.WorkerTag.GENERATION


class Everything(Worker):
    """Model, tool, cache and tokenizer: a chat calls a tool once, then answers."""

    def __init__(self):
        self.dropped = []
        self.failing = False

    async def chat(self, task):
        if self.failing:
            raise WorkerError("no")
        if task.messages[-1].role == "tool":
            said = AssistantMessage("42", reasoning="hm", finish_reason="stop")
        else:
            said = AssistantMessage(None, tool_calls=[ToolCall("c1", "search", '{"query": "six times seven"}')])
        task.messages.append(said)
        task.said = said
        task.prompt_tokens_num, task.completion_tokens_num = 10 * len(task.messages), 3
        return TaskStatus.SUCCESS

    async def tool(self, task):
        task.result_str = "6 * 7 = 42"
        return TaskStatus.SUCCESS

    async def drop(self, task):
        self.dropped.append(task.chat_task)
        return TaskStatus.SUCCESS

    async def tokenize(self, task):
        task.token_count = len(task.content.split())
        return TaskStatus.SUCCESS

    async def complete(self, task):
        task.output_str, task.output_tokens, task.usage = "done", [1, 2], Usage(7, 2)
        return TaskStatus.SUCCESS

    task_handlers = {
        ChatTask: chat,
        MCPCallTask: tool,
        DropKVCacheTask: drop,
        TokenizeTask: tokenize,
        GenerationTask: complete,
    }


class Agent(Controller):
    """Asks, lets the tool run, asks again."""

    def process(self, tasks, **kwargs):
        self.chat = chat = ChatTask.create_from_prompt("six times seven?", [SystemMessage("Use the tool.")])
        chat.worker_tag = TAG
        yield [chat]
        call = chat.messages[-1].tool_calls[0]
        asked = MCPCallTask.create_mcptask(call.id, call.function.name, call.function.arguments, TAG)
        yield [asked]
        chat.add_message(ToolMessage(asked.result_str, call.id))
        yield [chat]
        tasks[0].output_str = chat.last_assistant_content()
        return "returned"


@pytest.fixture
def worker():
    return Everything()


@contextmanager
def serving(controller, worker):
    tags = (TAG, DropKVCacheWorkerTag.DROP_KV_CACHE, TokenizeWorkerTag.TOKENIZE)
    with ScaffoldingLlm(controller, dict.fromkeys(tags, worker)) as llm:
        llm.enable_output_task_collection()
        yield llm


def run(controller, worker):
    """The answer and the collections of one request."""
    with serving(controller, worker) as llm:
        result = llm.generate("q")
        return result.outputs[0].text, result.task_collections


def sub(base=Agent):
    return type("Sub", (base,), {})


@pytest.fixture(autouse=True)
def statistics():
    """What is kept for all requests begins empty, and is put back."""
    kept = (ChatTokenCounter.statistics, TaskMetricsCollector.statistics, QueryCollector.query_dict)
    before = [dict(one) for one in kept]
    for one in kept:
        one.clear()
    yield
    for one, held in zip(kept, before, strict=True):
        one.clear()
        one.update(held)


def test_a_chat_token_counter_lists_the_tokens_of_each_turn(worker):
    Counted = with_task_collection("chats", ChatTokenCounter, statistics_name="agent")(sub())
    run(Counted(), worker)
    assert ChatTokenCounter.get_global_info() == {"agent": [(30, 3), (50, 3)]}


def test_queries_and_answers_of_tools_are_written_to_a_file(worker, tmp_path, monkeypatch):
    monkeypatch.setattr(QueryCollector, "file_name", str(tmp_path / "queries.json"))
    run(with_task_collection("queries", QueryCollector)(sub())(), worker)
    assert QueryCollector.get_global_info() is None
    assert json.loads((tmp_path / "queries.json").read_text()) == {"six times seven": "6 * 7 = 42"}


class TestTaskMetricsCollector:
    def test_it_records_and_prints_each_task_by_default(self, worker, capsys, tmp_path):
        run(with_task_collection("metrics", TaskMetricsCollector, controller_name="agent")(sub())(), worker)
        first, tool, second = TaskMetricsCollector.get_all_records()
        assert [first["prompt_tokens"], first["completion_tokens"], first["total_tokens"]] == [30, 3, 33]
        assert (tool["tool_name"], tool["mcp_args"]) == ("search", {"query": "six times seven"})
        assert (second["finish_reason"], second["reasoning_tokens"]) == ("stop", 0)
        TaskMetricsCollector.print_summary()
        printed = capsys.readouterr().out
        assert printed.count("START") == 3
        assert "ChatTask (count: 2)" in printed
        TaskMetricsCollector.export_to_json(tmp_path / "all.json")
        assert len(json.loads((tmp_path / "all.json").read_text())["agent"]) == 3
        assert len(TaskMetricsCollector.get_statistics("agent")["agent"]) == 3
        TaskMetricsCollector.reset("agent")
        assert TaskMetricsCollector.get_statistics() == {"agent": []}

    def test_it_can_keep_messages_and_be_silent(self, worker, capsys):
        options = {"controller_name": "agent", "task_types": [ChatTask], "enable_print": False}
        Kept = with_task_collection("metrics", TaskMetricsCollector, **options, capture_messages=True)(sub())
        run(Kept(), worker)
        first, second = TaskMetricsCollector.get_all_records()
        assert (first["message_count_before"], first["message_count_after"]) == (2, 3)
        said = {"role": "assistant", "content": "42", "reasoning": "hm", "reasoning_content": "hm"}
        assert second["new_messages"] == [{**said, "finish_reason": "stop"}]
        assert capsys.readouterr().out == ""

    def test_a_task_inside_two_collectors_is_the_inner_ones_also_after_it_failed(self, worker):
        @with_task_collection("metrics", TaskMetricsCollector, controller_name="outer", enable_print=False)
        class Outer(Controller):
            def process(self, tasks, **kwargs):
                inner = with_task_collection(
                    "metrics", TaskMetricsCollector, controller_name="inner", enable_print=False
                )(sub())()
                worker.failing = True
                try:
                    yield from inner.process(tasks)
                except WorkerError:
                    worker.failing = False
                inner.chat.worker_tag = TAG
                yield [inner.chat]
                yield from inner.process(tasks)

        run(Outer(), worker)
        assert len(TaskMetricsCollector.statistics["inner"]) == 3
        assert len(TaskMetricsCollector.statistics["outer"]) == 1


class TestSubRequestNode:
    @pytest.fixture(autouse=True)
    def enabled(self, monkeypatch):
        monkeypatch.setattr(SubRequestMarker, "enable_sub_request_marker", True)

    def test_a_chat_is_marked_with_the_way_up_to_the_outermost_controller(self, worker):
        Inner = sub_request_node("inner")(sub())

        @sub_request_node("outer", is_top_level=True)
        class Outer(Controller):
            def process(self, tasks, **kwargs):
                self.inner = [Inner(), Inner()]
                for inner in self.inner:
                    yield from inner.process(tasks)
                    marks.append(inner.chat.sub_request_markers)
                    assert inner.chat.unique_id is None

        marks = []
        run(Outer(), worker)
        (leaf, part, top), (_, other_part, other_top) = marks
        assert leaf == ("LeafNode", 1)  # its second turn, inside the inner controller
        assert (part, other_part) == (("inner", 0), ("inner", 1))
        assert top == other_top
        assert top[0] == "outer"

    def test_nothing_is_marked_unless_it_is_asked_for(self, worker, monkeypatch):
        monkeypatch.setattr(SubRequestMarker, "enable_sub_request_marker", False)
        controller = sub_request_node("agent")(sub())()
        for _ in controller.process([GenerationTask()]):
            assert controller.chat.sub_request_markers == []
            break


class TestDropKVCacheScope:
    def test_chats_are_dropped_once_when_the_innermost_scope_ends(self, worker):
        Inner = drop_kv_cache_scope()(sub())

        @drop_kv_cache_scope()
        class Outer(Controller):
            def process(self, tasks, **kwargs):
                inner = Inner()
                assert (yield from inner.process(tasks)) == "returned"
                assert worker.dropped == [inner.chat]
                chat = ChatTask.create_from_prompt("and now?")
                chat.worker_tag = TAG
                yield [chat]

        text, _ = run(Outer(), worker)
        assert text == "42"
        assert [chat.messages[0].content for chat in worker.dropped] == ["Use the tool.", "and now?"]

    def test_they_are_dropped_where_the_controller_fails(self, worker):
        class Fails(Agent):
            def process(self, tasks, **kwargs):
                yield from super().process(tasks)
                raise KeyError("mine")

        with serving(drop_kv_cache_scope()(Fails)(), worker) as llm, pytest.raises(KeyError, match="mine"):
            llm.generate("q")
        assert len(worker.dropped) == 1

    def test_a_drop_that_fails_costs_no_answer(self, worker, caplog):
        controller = drop_kv_cache_scope()(sub())()
        with ScaffoldingLlm(controller, {TAG: worker}) as llm:
            assert llm.generate("q").outputs[0].text == "42"
        assert "was not dropped: no worker" in caplog.text

    def test_a_chat_belongs_to_nobody_once_its_scope_was_closed(self, worker):
        controller = drop_kv_cache_scope()(sub())()
        steps = controller.process([GenerationTask()])
        next(steps)
        chats = controller.task_collections["ChatCollection"]
        assert chats.global_chat_task_set == {id(controller.chat)}
        steps.close()
        assert chats.global_chat_task_set == set()


class TestExecutionTracing:
    def trace_of(self, controller, worker):
        _, collections = run(controller, worker)
        return collections["execution_tracer"].export_trace()

    def test_a_trace_tells_messages_calls_and_tools_in_their_order(self, worker):
        events = self.trace_of(with_execution_tracing("agent")(sub())(), worker).events
        assert [event.role or event.event_type for event in events] == [
            *("system", "user", "assistant", "tool_call", "tool", "assistant")
        ]
        assert [event.message_index for event in events] == [0, 1, 2, None, 3, 4]
        assert {event.conversation_id for event in events if event.event_type == "message"} == {0}
        called, tool, answered = events[2], events[3], events[5]
        assert (called.tool_calls, called.prompt_tokens, called.completion_tokens) == (["search"], 30, 3)
        assert (tool.tool_name, tool.tool_result) == ("search", "6 * 7 = 42")
        assert tool.duration_ms > 0
        assert (events[4].tool_name, answered.finish_reason) == ("search", "stop")

    def test_what_runs_together_is_told_as_branches(self, worker):
        @with_execution_tracing("two")
        class Two(Controller):
            def process(self, tasks, **kwargs):
                pair = [GenerationTask(TAG, input_str=text) for text in ("a", "b")]
                yield pair

        events = self.trace_of(Two(), worker).events
        assert [(event.event_type, event.branch_path) for event in events[2:]] == [
            ("parallel_start", []),
            ("message", [0]),
            ("message", [1]),
            ("parallel_end", []),
        ]
        assert [event.completion_tokens for event in events[3:5]] == [2, 2]

    def test_a_saved_trace_tells_nothing_that_was_said_unless_it_is_asked_to(self, worker, tmp_path):
        trace = self.trace_of(with_execution_tracing("agent")(sub())(), worker)
        trace.save(tmp_path / "compact.json")
        trace.save(tmp_path / "full.json", full=True)
        compact = (tmp_path / "compact.json").read_text()
        assert "seven" not in compact
        assert "Use the tool" not in compact
        assert "null" not in compact
        loaded = ExecutionTrace.load(tmp_path / "full.json")
        assert loaded.trace_id == trace.trace_id
        assert loaded.events[0].content == "Use the tool."
        assert ExecutionTrace.load(tmp_path / "compact.json").events[2].prompt_tokens == 30

    def test_its_messages_can_be_counted_in_tokens(self, worker):
        traced = tokenize_trace_scope()(with_execution_tracing("agent")(sub()))
        events = self.trace_of(traced(), worker).events
        counted = {event.role: event.tokens for event in events if event.tokens is not None}
        assert counted == {"system": 30 - 3, "user": 3, "tool": 5}
