"""Siblings: samples of one prompt that start together are one request."""

import asyncio
import threading

import pytest

from scaffolding_core import (
    BadRequestError,
    GenerationTask,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    ServerError,
    UserMessage,
)
from tests.eventually import until
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("short_waits")


def siblings(count: int) -> list[GenerationTask]:
    group = object()
    return [GenerationTask(input_str="q", group=group) for _ in range(count)]


def only_alone(answer, held=None):
    """A server that takes one sample a request; it refuses more once it is no longer held."""

    def script(body):
        if body.get("n", 1) > 1:
            return Reply(status=400, body={"error": {"message": "Field 'n': Value must be 1"}}, held=held)
        return answer()

    return script


async def test_siblings_that_start_together_share_one_request():
    with scripted_server(
        lambda body: Reply(pieces=("7", "!"), usage={"prompt_tokens": 9, "completion_tokens": 8})
    ) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            method = MajorityVoteController(NativeChatController(), 4, stop_rule="full", run_ahead=4)
            async with ScaffoldingLlm(method, worker) as llm:
                output = (await llm.generate_async([UserMessage("q")])).output
    assert [request.get("n") for request in server.requests] == [4]
    assert [c.text for c in output.candidates] == ["7!"] * 4
    assert (output.usage.prompt_tokens, output.usage.completion_tokens, output.usage.calls) == (9, 8, 1)


async def test_a_seed_or_other_parameters_keep_siblings_apart():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            method = MajorityVoteController(NativeGenerationController(), 3, stop_rule="full", run_ahead=3)
            async with ScaffoldingLlm(method, worker) as llm:
                await llm.generate_async("q", seed=1)
    assert len(server.requests) == 3
    assert len({request["seed"] for request in server.requests}) == 3


async def test_one_sibling_is_cut_at_once_and_the_stream_closes_with_the_last():
    with scripted_server(Reply(pieces=("x",) * 2000, between=0.01)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(2)
            first, second = (asyncio.create_task(worker.run_task(task)) for task in tasks)
            await until(lambda: server.open)
            first.cancel()
            await asyncio.wait([first])
            assert not second.done()
            assert server.open == 1
            second.cancel()
            await asyncio.wait([second])
            await until(lambda: server.cut)
    assert [request["n"] for request in server.requests] == [2]
    assert server.cut == 1
    assert all(task.usage is not None and task.finish_reason == "cancelled" for task in tasks)


@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Only n=1 is supported."),
        (422, "Input should be less than or equal to 1"),
        (403, "not in your plan"),
        (500, "Only one completion choice is allowed"),
        (501, "not implemented"),
        (200, "multiple choices"),
    ],
)
async def test_a_server_that_refuses_several_in_any_words_gets_each_alone_from_then_on(status, words, attempts):
    body = {"error": {"message": words, "code": status if status >= 400 else 400}}
    refusal = Reply(status=status, body=body)
    with scripted_server(lambda body: refusal if body.get("n", 1) > 1 else Reply()) as server:
        async with OpenAIWorker(server.url, "m", max_attempts=attempts) as worker:
            tasks = siblings(3)
            await asyncio.gather(*map(worker.run_task, tasks))
            await asyncio.gather(*map(worker.run_task, siblings(3)))
            assert worker.capabilities.siblings == 1
    assert [request.get("n") for request in server.requests] == [3] + [None] * 6
    assert sum(task.usage.calls for task in tasks) == 4


@pytest.mark.parametrize("status", [400, 500])
async def test_what_is_refused_alone_in_the_same_way_fails_each_with_an_error_of_its_own(status):
    with scripted_server(Reply(status=status, body={"error": {"message": "no"}})) as server:
        async with OpenAIWorker(server.url, "m", max_attempts=2) as worker:
            tasks = siblings(3)
            errors = await asyncio.gather(*map(worker.run_task, tasks), return_exceptions=True)
            assert worker.capabilities.siblings > 1
    assert {type(error) for error in errors} == {BadRequestError if status == 400 else ServerError}
    assert len({id(error) for error in errors}) == 3
    assert [request.get("n") for request in server.requests] == [3] + [None] * (1 if status == 400 else 2)
    assert sum(task.usage.calls for task in tasks) == len(server.requests)


async def test_where_each_is_sent_alone_each_has_its_own_outcome():
    replies = iter([Reply(), Reply(status=400, body={"error": {"message": "no"}}), Reply()])
    with scripted_server(only_alone(lambda: next(replies))) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(3)
            outcomes = await asyncio.gather(*map(worker.run_task, tasks), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadRequestError", "NoneType", "NoneType"]
    assert sum(task.usage.calls for task in tasks) == len(server.requests) == 4


async def test_where_the_one_that_is_tried_alone_is_cut_the_next_is_tried():
    held = threading.Event()
    with scripted_server(only_alone(lambda: Reply(held=held))) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            first, *others = [asyncio.create_task(worker.run_task(task)) for task in siblings(3)]
            await until(lambda: len(server.requests) == 2)
            first.cancel()
            await asyncio.wait([first])
            held.set()
            await asyncio.gather(*others)
    assert [request.get("n", 1) for request in server.requests] == [3, 1, 1, 1]


async def test_where_each_is_sent_alone_one_that_was_cut_before_is_not_sent():
    held = threading.Event()
    with scripted_server(only_alone(Reply, held)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            running = [asyncio.create_task(worker.run_task(task)) for task in siblings(4)]
            await until(lambda: server.open)
            running[0].cancel()
            await asyncio.sleep(0)
            held.set()
            await asyncio.gather(*running, return_exceptions=True)
    assert [request.get("n", 1) for request in server.requests] == [4, 1, 1, 1]


async def test_another_attempt_asks_only_for_those_that_are_left():
    held = threading.Event()
    replies = iter([Reply(status=503, body={}, held=held), Reply(("7", "!"))])
    with scripted_server(lambda body: next(replies)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(4)
            running = [asyncio.create_task(worker.run_task(task)) for task in tasks]
            await until(lambda: server.open)
            for cut in running[:2]:
                cut.cancel()
            await asyncio.wait(running[:2])
            held.set()
            await asyncio.gather(*running, return_exceptions=True)
    assert [request["n"] for request in server.requests] == [4, 2]
    assert [task.output_str for task in tasks] == ["", "", "7!", "7!"]
    assert [task.usage.calls for task in tasks] == [0, 0, 0, 2]  # the last pays the rest
