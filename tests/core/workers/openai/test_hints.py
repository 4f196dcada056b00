"""Hints: what a server is told of a request besides what it asks, in its own words, and what the trace tells."""

import asyncio
from unittest.mock import ANY

import pytest

from scaffolding_core import (
    BadRequestError,
    ChatTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    OpenAIToolDescription,
    OpenAIWorker,
    Recording,
    RecordingWorker,
    RequestCancelledError,
    ScaffoldingLlm,
    SystemMessage,
    UserMessage,
)
from tests.eventually import until
from tests.servers.scripted import Reply, scripted_server, serve
from tests.servers.trtllm_serve import TrtllmServe

CHAT = NativeChatController({"max_tokens": 8})
TEXT = NativeGenerationController({"max_tokens": 8})
TOOL = OpenAIToolDescription("look", "Looks.", {})


async def asked_with(url, hints, method=CHAT, prompt="q", **options):
    """The result of a request with a priority, and its trace's hints."""
    given = {"priority": 1, "trace": True, **options.pop("request", {})}
    async with (
        OpenAIWorker(url, "m", hints=hints, **options) as worker,
        ScaffoldingLlm(method, worker) as llm,
    ):
        result = await llm.generate_async(prompt, **given)
        return result, [call.hints for call in result.trace.calls]


async def test_trtllm_serve_is_told_how_soon_and_whose_a_chat_is():
    with serve(TrtllmServe()) as server:
        _, (hints,) = await asked_with(server.url, True)
    (body,) = server.requests
    assert hints.sent == {"priority": 0.75, "agent_hierarchy": [["request", ANY]]}
    assert {name: body[name] for name in hints.sent} == hints.sent
    assert hints.dropped == {"osl": "trtllm-serve does not take it"}


async def test_siblings_are_one_branch_and_their_number_is_told():
    with serve(TrtllmServe()) as server:
        _, hints = await asked_with(server.url, ["agent_hierarchy"], MajorityVoteController(CHAT, 3))
    (body,) = server.requests
    assert body["agent_hierarchy"] == [["request", ANY]]
    assert [each.sent["n"] for each in hints] == [3, 3, 3]


async def test_what_a_route_does_not_take_is_not_sent_there():
    with serve(TrtllmServe()) as server:
        _, (hints,) = await asked_with(server.url, True, TEXT)
    assert set(hints.sent) == {"priority"}
    assert hints.dropped["agent_hierarchy"] == "trtllm-serve takes it only with a chat"


@pytest.mark.parametrize(("priority", "sent"), [(0, None), (3, 0.875), (-1, 0.25)])
async def test_a_priority_stays_between_0_and_1(priority, sent):
    with serve(TrtllmServe()) as server:
        await asked_with(server.url, ["priority"], request={"priority": priority})
    assert server.requests[0].get("priority") == sent


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("vllm", {"priority": -1}),
        ("dynamo", {"nvext": {"agent_hints": {"priority": 1, "osl": 8, "speculative_prefill": True}}}),
        ("sglang", {}),
        (None, {}),
    ],
)
async def test_each_server_is_told_in_its_words_and_one_that_nobody_knows_nothing(kind, sent):
    with scripted_server(Reply()) as server:
        prompt = ChatTask(messages=[UserMessage("q")], tools=[TOOL])
        _, (hints,) = await asked_with(server.url, True, prompt=prompt, server=kind)
    plain = {"model", "messages", "max_tokens", "stream", "stream_options", "tools"}
    assert {name: value for name, value in server.requests[0].items() if name not in plain} == sent
    assert hints.sent == sent
    assert {*hints.dropped, *sent, *sent.get("nvext", {}).get("agent_hints", {})} >= {
        "priority", "agent_hierarchy", "osl", "speculative_prefill",
    }  # fmt: skip


async def test_what_the_caller_sends_goes_first():
    with serve(TrtllmServe()) as server:
        _, (hints,) = await asked_with(server.url, ["priority"], extra_body={"priority": 0.1})
    assert server.requests[0]["priority"] == 0.1
    assert hints.dropped == {"priority": "the caller sends another"}


async def test_a_server_that_refuses_a_hint_is_not_told_it_again():
    with serve(TrtllmServe(without=("agent_hierarchy",))) as server:
        async with OpenAIWorker(server.url, "m", hints=True) as worker, ScaffoldingLlm(CHAT, worker) as llm:
            for _ in range(2):
                result = await llm.generate_async("q", priority=1, trace=True)
    assert ["agent_hierarchy" in body for body in server.requests] == [True, False, False]
    assert all(body["priority"] == 0.75 for body in server.requests)
    assert result.trace.calls[0].hints.dropped["agent_hierarchy"] == "the server refused it"


async def test_a_refusal_is_remembered_though_the_answer_is_cut():
    long = Reply(("7 ",) * 1000, between=0.001)
    with serve(TrtllmServe(long, without=("agent_hierarchy",))) as server:
        async with OpenAIWorker(server.url, "m", hints=True) as worker, ScaffoldingLlm(CHAT, worker) as llm:
            for _ in range(2):
                events = aiter(llm.stream("q"))
                await anext(events)
                await events.aclose()
                await until(lambda: not server.open)
    assert ["agent_hierarchy" in body for body in server.requests] == [True, False, False]


async def test_what_is_refused_without_hints_too_says_nothing_of_them():
    with serve(TrtllmServe()) as server:
        async with OpenAIWorker(server.url, "m", hints=True) as worker, ScaffoldingLlm(CHAT, worker) as llm:
            with pytest.raises(BadRequestError, match="integer token ID"):
                await llm.generate_async("q", logit_bias={"word": 1.0}, priority=1)
            await llm.generate_async("q", priority=1)
    assert server.requests[-1]["priority"] == 0.75


async def test_a_recording_keeps_them(tmp_path):
    with serve(TrtllmServe()) as server:
        async with OpenAIWorker(server.url, "m", hints=["priority"]) as worker:
            with Recording.open(tmp_path / "calls.jsonl") as recording:
                async with ScaffoldingLlm(TEXT, RecordingWorker(worker, recording)) as llm:
                    await llm.generate_async("q", priority=1)
    (record,) = Recording.load(tmp_path / "calls.jsonl").records
    assert record.hints.sent == {"priority": 0.75}


@pytest.mark.parametrize("hints", [["prioritee"], 1])
def test_a_hint_that_there_is_not_is_refused(hints):
    with pytest.raises(InvalidRequestError, match="priority, agent_hierarchy"):
        OpenAIWorker("http://127.0.0.1:9/v1", hints=hints)


class TestTruncation:
    """With the end of a request its chats leave the server's KV cache."""

    SYSTEM, QUESTION = SystemMessage("You mend clocks. " * 16), UserMessage("Why did it stop? " * 16)

    async def test_a_chat_is_dropped_once_with_its_last_turn_and_the_trace_tells(self):
        async def cached(worker):
            task = ChatTask(messages=[self.SYSTEM, self.QUESTION])
            await worker.run_task(task)
            return task.usage.cached_tokens

        class TwoTurns(NativeChatController):
            def process(self, tasks):
                (task,) = yield [ChatTask(messages=[TestTruncation.SYSTEM, TestTruncation.QUESTION])]
                (task,) = yield [ChatTask(messages=[*task.messages, task.message(), UserMessage("Go on.")])]
                tasks[0].take_results(task)

        with serve(TrtllmServe()) as server:
            _, hints = await asked_with(server.url, ["truncation"], TwoTurns())
            assert [len(body["messages"]) for body in server.truncated] == [4]
            async with OpenAIWorker(server.url, "m") as worker:
                assert await cached(worker) == 64  # of the system message
        assert [each.sent for each in hints] == [{"truncation": True}] * 2

    async def test_a_request_that_is_cut_leaves_nothing_either(self):
        with serve(TrtllmServe(Reply(between=60.0))) as server:
            async with (
                OpenAIWorker(server.url, "m", hints=["truncation"]) as worker,
                ScaffoldingLlm(MajorityVoteController(CHAT, 3), worker) as llm,
            ):
                running = llm.generate_async("q")
                await until(lambda: server.open)
                running.cancel()
                with pytest.raises(RequestCancelledError):
                    await running
        assert len(server.truncated) == 1

    @pytest.mark.parametrize("kind", [None, "vllm"])
    async def test_where_a_server_does_not_truncate_that_is_all_there_is_to_it(self, kind):
        with scripted_server(Reply()) as server:
            _, (hints,) = await asked_with(server.url, ["truncation"], server=kind)
        assert hints.dropped == {"truncation": "the server does not truncate"}

    async def test_a_server_that_does_not_answer_holds_no_answer_up(self, monkeypatch):
        async def never(*args, **kwargs):
            await asyncio.Event().wait()

        monkeypatch.setattr("scaffolding_core.workers.openai.running_chats._SECONDS", 0.01)
        monkeypatch.setattr(OpenAIWorker, "truncate_kv_cache", never)
        with serve(TrtllmServe()) as server:
            result, (hints,) = await asked_with(server.url, ["truncation"])
        assert result.text == "7"
        assert hints.dropped == {"truncation": "the server did not answer in time"}

    async def test_a_subclass_hears_of_ends_as_before(self):
        ended = []

        class Own(OpenAIWorker):
            async def on_scope_end(self, scope_id):
                ended.append(scope_id)

        with serve(TrtllmServe()) as server:
            async with Own(server.url, "m") as worker, ScaffoldingLlm(CHAT, worker) as llm:
                result = await llm.generate_async("q")
        assert ended == [str(result.id)]

    async def test_nothing_is_dropped_unless_that_is_asked_for(self):
        with serve(TrtllmServe()) as server:
            await asked_with(server.url, True)
        assert server.truncated == []
