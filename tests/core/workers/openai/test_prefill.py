"""Siblings that are asked for apart: one goes ahead, and the others find the prompt in the server's cache."""

import asyncio
import threading

import pytest

from scaffolding_core import (
    ChatTask,
    GenerationTask,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    UserMessage,
)
from tests.eventually import until
from tests.servers.scripted import Reply, serve
from tests.servers.trtllm_serve import BLOCK, TrtllmServe

PROMPT = "The clock of the harbour town stopped at noon. " * 48
TOKENS = -(-len(PROMPT) // 4)
NEVER = threading.Event()
"""Nobody ever sets it."""


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Whoever waits in vain has more time than a test."""
    monkeypatch.setattr("scaffolding_core.workers.openai.prefill._LONGEST", 3600.0)


def siblings(count, **given):
    """Tasks for one prompt."""
    group = object()
    given = given or {"input_str": PROMPT}
    kind = ChatTask if "messages" in given else GenerationTask
    return [kind(**given, group=group) for _ in range(count)]


async def running(worker, tasks):
    return [asyncio.create_task(worker.run_task(task)) for task in tasks]


def served(*replies):
    """A server whose first answers are these; the rest are plain ones."""
    left = iter(replies)
    return serve(TrtllmServe(lambda body: next(left, Reply())))


@pytest.mark.parametrize(
    "asked",
    [
        {"input_str": PROMPT},
        {"input_tokens": list(range(300))},
        {"messages": [UserMessage(PROMPT)]},
        {"messages": [UserMessage([{"type": "text", "text": PROMPT}])]},
    ],
    ids=["text", "tokens", "chat", "parts"],
)
async def test_the_others_are_sent_once_the_first_has_shown_a_token(asked):
    shown = threading.Event()
    with served(Reply(held=shown)) as server:
        async with OpenAIWorker(server.url, "m", siblings=1) as worker:
            tasks = siblings(4, **asked)
            calls = await running(worker, tasks)
            await until(lambda: server.waiting)
            assert len(server.requests) == 1
            shown.set()
            await asyncio.gather(*calls)
    first, *others = [task.usage for task in tasks]
    assert len(server.requests) == 4
    assert server.prefilled == first.prompt_tokens + sum(
        each.prompt_tokens - each.cached_tokens for each in others
    )
    assert all(each.prompt_tokens - each.cached_tokens <= BLOCK for each in others)


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"prefill_first": False}, {"input_str": PROMPT}),
        ({"server": "llama.cpp"}, {"input_str": PROMPT}),
        ({}, {"input_str": PROMPT[:1000]}),
        ({}, {"input_tokens": list(range(99))}),
    ],
    ids=["not wanted", "no cache to share", "short text", "few tokens"],
)
async def test_where_waiting_makes_no_sense_nobody_waits(options, asked):
    shown = threading.Event()
    with served(*[Reply(held=shown)] * 4) as server:
        async with OpenAIWorker(server.url, "m", siblings=1, **options) as worker:
            calls = await running(worker, siblings(4, **asked))
            await until(lambda: server.waiting == 4)
            shown.set()
            await asyncio.gather(*calls)


async def test_tasks_that_are_no_siblings_do_not_wait_for_each_other():
    shown = threading.Event()
    with served(*[Reply(held=shown)] * 2) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            calls = await running(worker, [GenerationTask(input_str=PROMPT) for _ in range(2)])
            await until(lambda: server.waiting == 2)
            shown.set()
            await asyncio.gather(*calls)


async def test_another_goes_ahead_where_the_first_is_cut():
    with served(Reply(held=NEVER)) as server:
        async with OpenAIWorker(server.url, "m", siblings=1) as worker:
            tasks = siblings(3)
            first, *others = await running(worker, tasks)
            await until(lambda: server.waiting)
            first.cancel()
            await asyncio.gather(*others)
    assert [task.output_str for task in tasks[1:]] == ["7", "7"]


async def test_another_goes_ahead_where_the_first_fails():
    with served(Reply(status=500, body={})) as server:
        async with OpenAIWorker(server.url, "m", siblings=1, max_attempts=1) as worker:
            calls = await running(worker, siblings(3))
            results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["ServerError", "NoneType", "NoneType"]


async def test_nobody_waits_for_long(monkeypatch):
    monkeypatch.setattr("scaffolding_core.workers.openai.prefill._LONGEST", 0.01)
    with served(Reply(held=NEVER)) as server:
        async with OpenAIWorker(server.url, "m", siblings=1) as worker:
            first, *others = await running(worker, siblings(3))
            await asyncio.gather(*others)
            first.cancel()


async def test_the_first_is_streamed_where_a_short_answer_would_come_whole():
    with served() as server:
        async with OpenAIWorker(server.url, "m", siblings=1, server="trtllm-serve") as worker:
            tasks = siblings(2, input_str=PROMPT, max_tokens=8)
            for task in tasks:
                await worker.run_task(task)
    assert [body.get("stream", False) for body in server.requests] == [True, False]


async def test_where_a_server_turns_out_to_take_no_n_the_others_wait_for_a_token_too_and_not_for_an_end():
    with served(Reply(), Reply(between=60.0)) as server:  # the first is refused, by the server's rule
        async with OpenAIWorker(server.url, "m") as worker:
            first, *others = await running(worker, siblings(3, input_str="q", temperature=0.0))
            await asyncio.gather(*others)
            assert not first.done()
            first.cancel()
            await asyncio.wait([first])
    assert [body.get("n", 1) for body in server.requests] == [3, 1, 1, 1]


@pytest.mark.parametrize("chat", [False, True])
async def test_a_vote_whose_server_takes_no_n_has_its_prompt_read_once(chat):
    inner = (NativeChatController if chat else NativeGenerationController)({"temperature": 0.0})
    with served() as server:
        async with (
            OpenAIWorker(server.url, "m") as worker,
            ScaffoldingLlm(MajorityVoteController(inner, 16, stop_rule="full"), worker) as llm,
        ):
            for prompt in (PROMPT, PROMPT[::-1]):  # with the first it learns that there is no n
                read = server.prefilled
                usage = (await llm.generate_async(prompt)).usage
                assert usage.prompt_tokens >= 16 * TOKENS
                assert server.prefilled - read <= TOKENS + 16 * BLOCK
