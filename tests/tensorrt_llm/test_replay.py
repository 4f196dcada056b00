"""Traces are replayed: their load on a worker, and their controllers on the recorded way."""

import asyncio

import pytest

from scaffolding_core.errors import InvalidRequestError, ReplayMismatchError, WorkerError
from scaffolding_core.messages import ToolCall, Usage
from scaffolding_core.tensorrt_llm.controller import Controller, NativeGenerationController, ParallelProcess
from scaffolding_core.tensorrt_llm.execution_trace import ExecutionTrace, TraceEvent
from scaffolding_core.tensorrt_llm.replay import (
    DropPathStats,
    ReplayEngine,
    ReplayGenerationStats,
    RetentionProbeStats,
    create_replay_scaffolding_llm,
    make_seeded_rng_factory,
    queue_executor,
)
from scaffolding_core.tensorrt_llm.replay.filler import Filler
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.task import (
    AssistantMessage,
    ChatTask,
    GenerationTask,
    MCPCallTask,
    SystemMessage,
    TaskStatus,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.tensorrt_llm.task_collection import with_execution_tracing
from scaffolding_core.tensorrt_llm.worker import Worker

TAG = NativeGenerationController.WorkerTag.GENERATION


class Model(Worker):
    """Writes as many tokens as it may, and notes what it was asked, and how many ran at once."""

    def __init__(self):
        self.asked = []
        self.truncated = []
        self.running = self.most = 0

    async def generate(self, task):
        self.asked.append(task)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        task.output_str = "x"
        read = len(task.input_tokens or ()) or sum(len(m.text.split()) for m in getattr(task, "messages", ()))
        task.usage = Usage(read, task.max_tokens or 5)
        return TaskStatus.SUCCESS

    async def send_kv_cache_truncate_tokens(self, prefixes, num_tokens_to_keep):
        self.truncated.append(([len(prefix) for prefix in prefixes], num_tokens_to_keep))

    task_handlers = {GenerationTask: generate}


def message(role, conversation=0, path=(), **told):
    return TraceEvent("message", list(path), conversation, role, **told)


def turn(conversation, path, prompt=10):
    return [
        message("user", conversation, path, tokens=4),
        message("assistant", conversation, path, prompt_tokens=prompt, completion_tokens=6, reasoning_tokens=2),
    ]


async def replayed(events, model, **options):
    await asyncio.wait_for(ReplayEngine(model, **options).launch_trace(ExecutionTrace(events=events)), 30)
    return model.asked


class TestReplayEngine:
    async def test_prompts_have_the_recorded_length_and_what_was_written_stands_in_the_next(self):
        events = [
            message("system", tokens=5, message_index=0),
            message("user", tokens=3, message_index=1),
            message("assistant", message_index=2, prompt_tokens=8, completion_tokens=6, reasoning_tokens=2),
            TraceEvent("tool_call", duration_ms=0.1),
            message("tool", tokens=7, message_index=3),
            message("assistant", message_index=4, prompt_tokens=20, completion_tokens=1),
            TraceEvent("drop_kv_cache"),
            TraceEvent("parallel_start", num_branches=1),
            TraceEvent("drop_kv_cache", [0], 0),
        ]
        stats, model = ReplayGenerationStats(session_index=3), Model()
        first, second = await replayed(events, model, generation_stats=stats)
        assert (len(first.input_tokens), first.max_tokens, first.ignore_eos) == (8, 6, True)
        assert len(second.input_tokens) == 20
        assert second.input_tokens[:8] == first.input_tokens
        assert model.truncated == [([21], [5])] * 2
        assert (stats.sum_trace_completion_tokens(), stats.sum_replay_output_tokens()) == (7, 7)
        assert stats.entries[0]["replay_content_token_len"] == 4
        assert stats.entries[0]["session_index"] == 3
        assert stats.entries[1]["usage_prompt_tokens"] == 20

    async def test_probes_tell_what_the_server_keeps_before_and_after_a_drop_and_in_the_end(self, monkeypatch):
        monkeypatch.setattr(queue_executor, "SETTLES", {"before": 0.0, "after": 0.0})
        drops, retained, model = DropPathStats(), RetentionProbeStats(), Model()
        events = [message("system", tokens=5), *turn(0, (), 9), TraceEvent("drop_kv_cache")]
        await replayed(events, model, drop_path_stats=drops, retention_probe_stats=retained)
        assert [task.max_tokens for task in model.asked] == [6, 1, 1]
        assert [(probe["phase"], probe["prefix_len"], probe["num_tokens_to_keep"]) for probe in drops.records] == [
            ("before", 13, 5),
            ("after", 13, 5),
        ]
        (probe,) = retained.pending_probes
        assert (probe["conv_id"], probe["prefix"]) == (0, model.asked[0].input_tokens)

    async def test_branches_run_at_the_same_time_also_those_of_a_branch(self):
        fork = [TraceEvent("parallel_start", path, num_branches=2) for path in ([], [0])]
        inner = [*turn(1, (0, 0)), *turn(2, (1,)), *turn(3, (0, 1))]
        ends = [TraceEvent("parallel_end", [0]), TraceEvent("parallel_end")]
        stats, model = ReplayGenerationStats(), Model()
        await replayed([*turn(0, ()), *fork, *inner, *ends, *turn(0, (), 19)], model, generation_stats=stats)
        assert model.most == 3
        assert [entry["branch_path"] for entry in stats.entries] == [[], [1], [0, 0], [0, 1], []]
        assert len(stats.parallel_regions) == 1

    async def test_a_fork_may_tell_its_branches_as_children(self):
        children = [message("assistant", n, completion_tokens=n, prompt_tokens=4) for n in (1, 2)]
        asked = await replayed([TraceEvent("parallel_start", num_branches=2, children=children)], Model())
        assert sorted(task.max_tokens for task in asked) == [1, 2]

    async def test_a_seed_and_shared_system_messages_give_the_same_tokens_again(self):
        events = [message("system", tokens=5, system_prompt_id="s"), *turn(0, (), 12)]
        cache = {}
        seeded = {"rng_factory": make_seeded_rng_factory("run", 1)}
        (first,) = await replayed(events, Model(), **seeded)
        (again,) = await replayed(events, Model(), **seeded)
        (one,) = await replayed(events, Model(), system_token_cache=cache)
        (other,) = await replayed(events, Model(), system_token_cache=cache)
        assert first.input_tokens == again.input_tokens
        assert one.input_tokens[:5] == other.input_tokens[:5]
        assert one.input_tokens != other.input_tokens

    @pytest.mark.parametrize(
        ("events", "wrong"),
        [
            ([message("assistant", completion_tokens=0)], "of 0 tokens"),
            ([message("user", path=(1,), tokens=1)], r"branch \[1\] that no parallel_start opens"),
        ],
    )
    async def test_a_trace_that_cannot_be_replayed_is_one_error(self, events, wrong):
        with pytest.raises(InvalidRequestError, match=wrong):
            await replayed(events, Model())

    async def test_a_worker_that_fails_ends_it(self):
        class Fails(Model):
            async def run_task(self, task):
                raise WorkerError("no")

        fork = [TraceEvent("parallel_start", [], num_branches=2), *turn(0, (0,)), TraceEvent("tool_call", [1])]
        fork[-1].duration_ms = 1e6
        with pytest.raises(WorkerError, match="no"):
            await replayed(fork, Fails())


class Pairs:
    """A tokenizer of two characters a token, whose chat template adds four tokens to three messages."""

    def encode(self, text, add_special_tokens):
        return [ord(text[at]) for at in range(0, len(text), 2)]

    def decode(self, token_ids, skip_special_tokens):
        return "".join(chr(token) * 2 for token in token_ids)

    def apply_chat_template(self, messages, tokenize, add_generation_prompt):
        return "<<" + "".join(f"{message['role'][0]}:{message['content']}" for message in messages)


@with_execution_tracing("agent")
class Agent(Controller):
    """Two chats beside one another, one of which calls a tool."""

    def process(self, tasks, tool="search", **kwargs):
        chats = [ChatTask.create_from_prompt(text) for text in ("one two three", "four")]
        for chat in chats:
            chat.worker_tag = TAG
        yield ParallelProcess([Ask(), Ask()], [[chat] for chat in chats], [{}, {}])
        yield [ChatTask.create_from_messages(list(chat.messages)) for chat in chats]
        tasks[0].output_str = " | ".join(m.role for m in chats[0].messages)
        tasks[0].output_tokens = [chat.completion_tokens_num for chat in chats]


class Ask(Controller):
    def process(self, tasks, **kwargs):
        (chat,) = tasks
        yield [chat]
        for call in chat.messages[-1].tool_calls or ():
            asked = MCPCallTask.create_mcptask(call.id, call.function.name, call.function.arguments, TAG)
            yield [asked]
            chat.add_message(ToolMessage(asked.result_str, call.id))
            yield [chat]


class Recorded(Model):
    """A model that calls a tool for a long question, and the tool."""

    async def chat(self, task):
        await self.generate(task)
        calls = [ToolCall("1", "search", "{}")] if task.messages[-1].text == "one two three" else None
        task.said = AssistantMessage(None if calls else "said", tool_calls=calls, finish_reason="stop")
        return TaskStatus.SUCCESS

    async def tool(self, task):
        task.result_str = "found"
        return TaskStatus.SUCCESS

    task_handlers = {ChatTask: chat, MCPCallTask: tool}


@pytest.fixture(scope="module")
def trace():
    """What the agent did with a model."""
    with ScaffoldingLlm(Agent(), dict.fromkeys((TAG, None), Recorded())) as llm:
        llm.enable_output_task_collection()
        return llm.generate("q").task_collections["execution_tracer"].export_trace()


class TestReplayedController:
    def test_each_request_goes_the_recorded_way_on_filler_of_the_recorded_length(self, trace):
        model = Model()
        with create_replay_scaffolding_llm(trace, model, Agent(), latency_scale=0.0) as llm:
            results = llm.generate(["q", "q"])
        for result in results:
            assert result.outputs[0].text == "user | assistant | tool | assistant"
            assert result.outputs[0].token_ids == [5, 5]
        recorded = [event for event in trace.events if event.is_call]
        asked = sorted(task.usage.prompt_tokens for task in model.asked)
        assert asked == sorted(2 * [event.prompt_tokens for event in recorded])
        assert {(task.max_tokens, task.ignore_eos) for task in model.asked} == {(5, True)}

    @pytest.mark.parametrize(("tokenizer", "lengths"), [(Pairs(), [12, 4, 0]), (None, [15, 5, 0])])
    def test_filler_is_as_long_as_the_tokenizer_has_it(self, tokenizer, lengths):
        filler = Filler(tokenizer)
        assert [filler.count(filler.text(tokens)) for tokens in (0, 1, 7)] == [0, 1, 7]
        messages = [SystemMessage("a b c d e f"), UserMessage("a b"), ToolMessage("", "1")]
        made = filler.chat(messages, 20)
        assert [message.role for message in made] == ["system", "user", "user"]
        assert [filler.count(message.text) for message in made] == lengths

    def test_a_saved_trace_is_enough(self, trace, tmp_path):
        trace.save(tmp_path / "trace.json")
        loaded = ExecutionTrace.load(tmp_path / "trace.json")
        with create_replay_scaffolding_llm(loaded, Model(), Agent(), latency_scale=0.0) as llm:
            assert llm.generate("q").outputs[0].text == "user | assistant | tool | assistant"

    @pytest.mark.parametrize("count", [2, 3])
    def test_tasks_that_ran_together_may_be_told_as_children_of_a_fork(self, count):
        class Pair(Controller):
            def process(self, tasks, **kwargs):
                yield [GenerationTask(TAG, input_str=text) for text in "ab"]

        children = [message("assistant", n, prompt_tokens=3, completion_tokens=4) for n in range(count)]
        told = ExecutionTrace(events=[TraceEvent("parallel_start", num_branches=count, children=children)])
        model = Model()
        with create_replay_scaffolding_llm(told, model, Pair()) as llm:
            if count == 2:
                llm.generate("q")
                assert [(task.input_str, task.max_tokens) for task in model.asked] == [(" a" * 3, 4)] * 2
            else:
                with pytest.raises(ReplayMismatchError, match="yields 2 tasks where the trace tells of 3"):
                    llm.generate("q")

    @pytest.mark.parametrize(
        ("changed", "wrong"),
        [
            ([TraceEvent("drop_kv_cache")], "more than the trace tells"),
            ([TraceEvent("tool_call", [0])], "yields a ChatTask where the trace tells of 'tool_call'"),
        ],
    )
    def test_another_way_is_an_error_that_the_controller_cannot_catch(self, changed, wrong):
        with create_replay_scaffolding_llm(ExecutionTrace(events=changed), Model(), Agent()) as llm:
            with pytest.raises(ReplayMismatchError, match=wrong):
                llm.generate("q")
