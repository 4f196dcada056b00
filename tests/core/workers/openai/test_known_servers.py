"""Servers that are known, by name or by what they tell: which get plain requests, and which are asked for more."""

import asyncio
import json
import threading

import pytest

from scaffolding_core import (
    Budget,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    StreamGenerationTask,
    UnsupportedParameterError,
)
from tests.eventually import until
from tests.servers.scripted import Reply, scripted_server

NEVER = threading.Event()
"""Nobody ever sets it."""


def short(**given):
    return GenerationTask(input_str="q", max_tokens=8, **given)


async def asked(*tasks, **options):
    """The bodies that are sent for tasks, one after the other."""
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m", **options) as worker:
            for task in tasks:
                await worker.run_task(task)
    return server.requests


@pytest.mark.parametrize("server", ["vllm", "sglang", "trtllm-serve"])
async def test_a_short_answer_that_nobody_hears_comes_whole_where_the_server_drops_such_requests(server):
    (plain,) = await asked(short(), server=server)
    assert not {"stream", "stream_options"} & set(plain)


@pytest.mark.parametrize(
    ("task", "server"),
    [
        (short(), None),
        (short(), "llama.cpp"),
        (GenerationTask(input_str="q"), "vllm"),
        (GenerationTask(input_str="q", max_tokens=513), "vllm"),
        (StreamGenerationTask(input_str="q", max_tokens=8, streaming_step=9), "vllm"),
    ],
)
async def test_any_other_answer_is_streamed(task, server):
    (body,) = await asked(task, server=server)
    assert body["stream"] is True


@pytest.mark.parametrize(
    ("listens", "budget", "streamed"), [(0, None, 0), (1, None, 1), (0, Budget(tokens=99), 1)]
)
async def test_who_listens_or_counts_tokens_has_it_streamed(listens, budget, streamed):
    with scripted_server(Reply()) as server:
        async with (
            OpenAIWorker(server.url, "m", server="vllm") as worker,
            ScaffoldingLlm(NativeGenerationController({"max_tokens": 8}), worker) as llm,
        ):
            if listens:
                async for _ in llm.stream("q", budget=budget):
                    pass
            else:
                await llm.generate_async("q", budget=budget)
    assert [bool(body.get("stream")) for body in server.requests] == [bool(streamed)]


async def test_a_plain_request_is_dropped_with_who_waits_for_it():
    with scripted_server(Reply(held=NEVER)) as server:
        async with OpenAIWorker(server.url, "m", server="vllm") as worker:
            running = asyncio.create_task(worker.run_task(short()))
            await until(lambda: server.open)
            running.cancel()
            await asyncio.wait([running])
            await until(lambda: server.cut)
    assert "stream" not in server.requests[0]


def counted(index, prompt, written, finish="stop"):
    choice = {"index": index, "text": "7", "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": prompt, "completion_tokens": written}})


async def test_a_vote_that_ends_early_knows_its_prompt_where_the_server_counts_along():
    events = (counted(2, 9, 1, finish=None), counted(0, 9, 1), counted(1, 9, 1))
    method = MajorityVoteController(NativeGenerationController(), 3)
    with scripted_server(Reply(events=events, held_choices={3: NEVER})) as server:
        async with OpenAIWorker(server.url, "m", server="vllm") as worker, ScaffoldingLlm(method, worker) as llm:
            usage = (await llm.generate_async("q")).output.usage
    assert server.requests[0]["stream_options"] == {"include_usage": True, "continuous_usage_stats": True}
    assert (usage.prompt_tokens, usage.completion_tokens) == (9, 3)


@pytest.mark.parametrize(
    ("mark", "in_choice", "plain"),
    [
        ("kv_transfer_params", 0, 1),
        ("token_ids", 1, 1),  # in the last piece of vLLM's streams
        ("matched_stop", 1, 1),
        ("disaggregated_params", 1, 1),
        ("timings", 0, 0),
    ],
)
async def test_a_server_is_known_by_its_answers(mark, in_choice, plain):
    choice = {"index": 0, "text": "7", "finish_reason": "stop"}
    marked = {"choices": [choice | {mark: None}]} if in_choice else {"choices": [choice], mark: None}
    replies = iter([Reply(events=(json.dumps(marked),)), Reply()])
    with scripted_server(lambda body: next(replies)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            await worker.run_task(short())
            await worker.run_task(short())
    assert ["stream" in body for body in server.requests] == [True, not plain]


@pytest.mark.parametrize(
    ("owner", "plain"), [("vllm", True), ("tensorrt_llm", True), ("llamacpp", False), (7, False)]
)
async def test_a_server_is_known_by_its_list_of_models_where_that_is_asked_for_anyhow(owner, plain):
    with scripted_server(Reply()) as server:
        server.listed = [{"id": "m", "owned_by": owner}]
        async with OpenAIWorker(server.url) as worker:
            await worker.run_task(short())
    assert ("stream" not in server.requests[0]) is plain


def test_a_server_that_nobody_knows_is_refused():
    with pytest.raises(InvalidRequestError, match=r"vllm, sglang, .*trtllm-serve, llama\.cpp"):
        OpenAIWorker("http://127.0.0.1:9/v1", server="ours")


@pytest.mark.parametrize(("server", "ignored"), [("llama.cpp", {"echo": True}), ("trtllm-serve", {"suffix": "s"})])
async def test_what_a_known_server_ignores_is_refused_before_anything_is_sent(server, ignored):
    with pytest.raises(UnsupportedParameterError, match="ignores '(echo|suffix)'"):
        await asked(short(**ignored), server=server)


@pytest.mark.parametrize("owner", ["vllm", "tensorrt_llm", "llamacpp"])
async def test_a_server_is_asked_what_it_is_before_a_parameter_of_its_own_is_refused(owner):
    with scripted_server(Reply()) as server:
        server.listed = [{"id": "m", "owned_by": owner}]
        async with OpenAIWorker(server.url, "m") as worker:
            await worker.run_task(short(top_k=3))
            await worker.run_task(short(top_k=3))
    assert server.asked == ["/v1/models"]
    assert [body["top_k"] for body in server.requests] == [3, 3]
