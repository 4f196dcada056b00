"""Answers that servers mix up: choices under one index, text after the end, odd tool calls, odd numbers."""

import asyncio
import json

import pytest

from scaffolding_core import ChatTask, GenerationTask, IncompleteResponseError, OpenAIWorker, ToolCall, UserMessage
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("short_waits")


def chunk(*choices, **more):
    return json.dumps({"choices": list(choices), **more})


def part(text=None, *, index=0, finish=None, role=None):
    delta = {name: value for name, value in (("role", role), ("content", text)) if value is not None}
    return {"index": index, "delta": delta, "finish_reason": finish}


async def answered(script, count=1, **task):
    """Siblings asked at once; returns them with the server."""
    group = object()
    tasks = [ChatTask(messages=[UserMessage("q")], group=group, **task) for _ in range(count)]
    with scripted_server(script) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            outcomes = await asyncio.gather(*map(worker.run_task, tasks), return_exceptions=True)
    return tasks, outcomes, server


OPENING = part("", role="assistant")
MIXED = {
    "one after the other": [part("7"), part(finish="stop"), part("8"), part(finish="stop")],
    "side by side": [part("7"), part("8"), part(finish="stop"), part(finish="stop")],
    "opened twice": [OPENING, OPENING, part("7"), part("8"), part(finish="length")],
    "opened midway": [OPENING, part("7"), OPENING, part("8"), part(finish="length")],
}


@pytest.mark.parametrize("between", [0, 0.01], ids=["in one piece", "one by one"])
@pytest.mark.parametrize("events", MIXED.values(), ids=MIXED)
async def test_choices_under_one_index_are_told_apart_by_asking_for_each_alone(events, between):
    mixed, whole = Reply(events=tuple(map(chunk, events)), between=between), Reply()
    tasks, outcomes, server = await answered(lambda body: mixed if body.get("n") else whole, 2)
    assert outcomes == [None, None]
    assert [task.output_str for task in tasks] == ["7", "7"]
    asked = [body.get("n", 1) for body in server.requests]
    assert asked[0] == 2
    assert asked[1:] in ([1, 1], [1])  # the first is kept if it was whole before the second came


async def test_choices_that_come_whole_under_one_index_are_counted():
    whole = [{"index": 0, "message": {"content": text}, "finish_reason": "stop"} for text in ("7", "8")]
    tasks, _, server = await answered(Reply(body={"choices": whole}), 2)
    assert [task.output_str for task in tasks] == ["7", "8"]
    assert len(server.requests) == 1


@pytest.mark.parametrize("role", [None, "assistant"])
async def test_what_some_servers_repeat_without_text_is_no_other_choice(role):
    events = [part("7", role=role), part("", role=role, finish="stop"), part("", role=role, finish="stop")]
    tasks, _, server = await answered(Reply(events=tuple(map(chunk, events))))
    assert (tasks[0].output_str, len(server.requests)) == ("7", 1)


BROKEN = {
    "written twice at once": [chunk(part("7"), part("8")), chunk(part(finish="stop"), part(finish="stop"))],
    "goes on after its end": [chunk(part("7", finish="stop")), chunk(part("8"))],
    "of two answers": [chunk(part("7"), id="a"), chunk(part("8", finish="stop"), id="b")],
    **{
        f"index {index!r}": [chunk(part("7", index=index, finish="stop"))]
        for index in (-1, 1, 0.0, True, "0", 10**30)
    },
}


@pytest.mark.parametrize("events", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_answer_to_the_request_is_tried_again(events):
    replies = iter([Reply(events=tuple(events)), Reply()])
    tasks, _, server = await answered(lambda body: next(replies))
    assert (tasks[0].output_str, len(server.requests)) == ("7", 2)
    _, (error,), server = await answered(Reply(events=tuple(events)))
    assert (type(error), len(server.requests)) == (IncompleteResponseError, 3)


# Tool calls.


def call(index=None, call_id=None, name=None, arguments=None):
    given = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return {name: value for name, value in given.items() if value is not None}


BOTH = [ToolCall("a", "add", '{"x": 1}'), ToolCall("b", "sub", "{}")]
CALLS = {
    "as they should be": [
        [call(0, "a", "add", ""), call(1, "b", "sub", "")],
        [call(1, arguments="{}"), call(0, arguments='{"x": 1}')],
    ],
    "without a number": [[call(None, "a", "add", '{"x": 1}'), call(None, "b", "sub", "{}")]],
    "without a number, in pieces": [
        [call(None, "a", "add", '{"x"')],
        [call(arguments=": 1}")],
        [call(None, "b", "sub", "{}")],
    ],
    "under one number": [[call(0, "a", "add", '{"x": 1}')], [call(0, "b", "sub", "{}")]],
    "with the name again": [
        [call(0, "a", "add", '{"x"')],
        [call(0, "a", "add", ": 1}")],
        [call(1, "b", "sub", "{}")],
    ],
    "with a new id in each piece": [
        [call(0, "a", "add", '{"x"')],
        [call(0, "c", None, ": 1}")],
        [call(1, "b", "sub", "{}")],
    ],
    "with arguments as an object": [[call(0, "a", "add", {"x": 1}), call(1, "b", "sub", {})]],
}


@pytest.mark.parametrize("deltas", CALLS.values(), ids=CALLS)
async def test_tool_calls_are_the_same_however_a_server_sends_them(deltas):
    events = [{"index": 0, "delta": {"tool_calls": calls}} for calls in deltas]
    events = [*map(chunk, events), chunk(part(finish="tool_calls"))]
    (task,), _, _ = await answered(Reply(events=tuple(events)))
    assert task.tool_calls == BOTH


async def test_tool_calls_of_a_plain_answer_and_ones_without_ids_are_apart():
    calls = [call(None, None, "add", '{"x": 1}'), call(None, None, "add", '{"x": 2}')]
    choice = {"index": 0, "message": {"content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}
    (task,), _, _ = await answered(Reply(body={"choices": [choice]}))
    assert [call.arguments for call in task.tool_calls] == ['{"x": 1}', '{"x": 2}']


@pytest.mark.parametrize("calls", ["x", {"a": 1}, [1], [call(True, "a", "b")], [call(0, "a", 1.5)]])
async def test_tool_calls_of_no_shape_are_no_answer(calls):
    events = (chunk({"index": 0, "delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}),)
    _, (error,), _ = await answered(Reply(events=events))
    assert type(error) is IncompleteResponseError


# Numbers.


@pytest.mark.parametrize("count", [-4, float("nan"), float("inf"), True, "9", 10**16, [1]])
async def test_a_count_that_is_none_is_unknown(count):
    told = {"prompt_tokens": count, "completion_tokens": count, "prompt_tokens_details": {"cached_tokens": count}}
    events = (chunk(part("7", finish="stop")), chunk(usage=told))
    (task,), _, _ = await answered(Reply(events=events))
    assert (task.usage.prompt_tokens, task.usage.completion_tokens, task.usage.cached_tokens) == (0, 1, 0)
    told = {"prompt_tokens": 5, "completion_tokens": count, "prompt_tokens_details": count}
    (task,), _, _ = await answered(Reply(events=(events[0], chunk(usage=told))))
    assert (task.usage.prompt_tokens, task.usage.completion_tokens) == (5, 1)


async def test_a_log_probability_that_is_none_is_left_out_with_its_token():
    numbers = {
        "a": -1.0,
        "b": float("-inf"),
        "c": 1e-6,
        "d": float("nan"),
        "e": 0.5,
        "f": None,
        "g": "-1",
        "h": True,
    }
    kept = [("a", -1.0), ("b", float("-inf")), ("c", 0.0)]
    pairs = [{"token": token, "logprob": number} for token, number in numbers.items()]
    chat = {"content": [{**pair, "top_logprobs": pairs} for pair in pairs]}
    text = {
        "tokens": list(numbers),
        "token_logprobs": list(numbers.values()),
        "top_logprobs": [numbers] * len(numbers),
    }
    for logprobs in (chat, text):
        (task,), _, _ = await answered(Reply(events=(chunk({**part("7", finish="stop"), "logprobs": logprobs}),)))
        assert [(each.token, each.logprob) for each in task.logprobs] == kept
        assert [list(each.top) for each in task.logprobs] == [kept] * 3


@pytest.mark.parametrize(("ids", "tokens"), [((4, 5), [4, 5]), ((4, None), None), ((None, None), None)])
async def test_token_ids_beside_log_probabilities_are_the_answers_if_all_are_told(ids, tokens):
    pairs = [{"token": str(number), "logprob": -1.0, "id": number} for number in ids]
    logprobs = {"content": [{**pair, "top_logprobs": pairs} for pair in pairs]}
    (task,), _, _ = await answered(Reply(events=(chunk({**part("7", finish="stop"), "logprobs": logprobs}),)))
    assert task.output_tokens == tokens
    assert [(each.token_id, each.top_ids) for each in task.logprobs] == [
        (number, tuple(tokens or ())) for number in ids
    ]


async def test_a_text_prompt_has_the_same_care():
    task = GenerationTask(input_str="q")
    with scripted_server(Reply(events=(chunk({"index": -1, "text": "7", "finish_reason": "stop"}),))) as server:
        async with OpenAIWorker(server.url, "m", max_attempts=1) as worker:
            with pytest.raises(IncompleteResponseError):
                await worker.run_task(task)
