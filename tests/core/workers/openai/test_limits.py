"""How long OpenAIWorker waits for each part of an answer, and how much it takes."""

import asyncio
import gzip
import json
import zlib

import pytest

from scaffolding_core import (
    BackendTimeoutError,
    GenerationTask,
    IncompleteResponseError,
    MajorityVoteController,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    WorkerError,
)
from tests.servers.raw import answer, event, http, raw_server
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("short_waits")

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
SOON, LATER = 0.05, 30.0  # seconds
PING = b": ping\n\n"
ROLE = b'data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}\n\n'
NOTHING_YET = b'data: {"choices": [], "prompt_filter_results": []}\n\n'


async def ask(reply, **limits):
    """The task, how many requests it took, and the error."""
    task = GenerationTask(input_str="q")
    async with raw_server(reply) as server, OpenAIWorker(server.url, "m", **limits) as worker:
        try:
            await worker.run_task(task)
        except WorkerError as error:
            return task, len(server.seen), error
        return task, len(server.seen), None


def writing(*parts, end=None):
    """Writes each part in a segment of its own, and then says no more, or goes on with `end` for ever."""

    async def reply(number, writer):
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.01)
        while end is not None:
            writer.write(end)
            await writer.drain()
            await asyncio.sleep(0)

    return reply


async def test_a_server_that_says_nothing_is_asked_once():
    task, requests, error = await ask(writing(), headers_timeout=SOON)
    assert type(error) is BackendTimeoutError
    assert "headers_timeout" in str(error)
    assert (requests, error.attempts, task.usage.calls, task.usage.lost_calls) == (1, 1, 1, 1)


async def test_the_time_for_headers_is_one_for_all_attempts():
    async def lost(number, writer):
        await asyncio.sleep(0.03)
        writer.transport.abort()

    _, requests, error = await ask(lost, headers_timeout=0.1, max_attempts=100)
    assert type(error) is BackendTimeoutError
    assert requests <= 3


@pytest.mark.parametrize("first", [PING, ROLE, NOTHING_YET], ids=["ping", "role", "no choice"])
async def test_the_first_token_has_a_limit_of_its_own(first):
    reply = writing(HEAD, first, b"", b"", b"", b"", event("7") + b"\n\n")
    task, requests, error = await ask(reply, headers_timeout=LATER, idle_timeout=0.001)
    assert (error, requests, task.output_str) == (None, 1, "7")
    _, _, error = await ask(writing(HEAD, first), first_byte_timeout=SOON, max_attempts=1)
    assert type(error) is BackendTimeoutError
    assert "first_byte_timeout" in str(error)


@pytest.mark.parametrize(("begun", "limit"), [(b"", "first_byte_timeout"), (event("7", None), "idle_timeout")])
async def test_what_only_keeps_the_connection_alive_is_no_answer(begun, limit):
    reply = writing(HEAD, begun + b"\n\n", end=PING)
    _, _, error = await ask(reply, max_attempts=1, **{limit: SOON})
    assert type(error) is BackendTimeoutError
    assert limit in str(error)


async def test_a_server_that_pauses_twice_is_not_asked_a_third_time():
    _, requests, error = await ask(writing(HEAD, event("7", None) + b"\n\n"), idle_timeout=SOON, max_attempts=5)
    assert type(error) is BackendTimeoutError
    assert (requests, error.attempts) == (2, 2)


async def test_a_plain_request_has_only_its_deadline():
    limits = {"headers_timeout": 0.001, "first_byte_timeout": 0.001, "idle_timeout": 0.001}
    plain = http(
        json.dumps({"choices": [{"index": 0, "text": "7", "finish_reason": "stop"}]}).encode(), "text/json"
    )
    task, _, error = await ask(writing(b"", plain[:90], plain[90:]), extra_body={"stream": False}, **limits)
    assert (error, task.output_str) == (None, "7")
    _, _, error = await ask(writing(plain[:90]), extra_body={"stream": False}, timeout=SOON)
    assert "deadline" in str(error)


LONG = event("x" * 1000, None) + b"\n\n"


@pytest.mark.parametrize(
    "reply",
    [
        writing(HEAD, end=LONG),
        writing(HEAD, end=b"x" * 1000),
        writing(HEAD, end=PING),
        writing(http(b"", "application/json").replace(b"content-length: 0", b"x: y"), end=LONG),
        writing(http(gzip.compress(LONG * 10_000), "text/event-stream", "200 OK", "content-encoding: gzip")),
        writing(http(zlib.compress(b"0" * 10_000_000), "text/json", "200 OK", "content-encoding: deflate")),
    ],
    ids=["events", "a line", "pings", "a body", "a bomb", "a plain bomb"],
)
async def test_an_answer_without_end_is_left_at_its_limit(reply):
    _, requests, error = await ask(reply, max_answer_bytes=100_000)
    assert type(error) is IncompleteResponseError
    assert "max_answer_bytes" in str(error)
    assert requests == 1


async def test_the_limit_is_for_each_choice():
    def write(body):
        choices = [
            {"index": index, "text": "x" * 600, "finish_reason": "stop"} for index in range(body.get("n", 1))
        ]
        return Reply(body={"choices": choices})

    with scripted_server(write) as server:
        async with (
            OpenAIWorker(server.url, "m", max_answer_bytes=1000) as worker,
            ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), 4), worker) as llm,
        ):
            await llm.generate_async("q")
    assert [request["n"] for request in server.requests] == [4]


@pytest.mark.parametrize("header", [b"x: " + b"y" * 10_000, b"\r\n".join([b"x: y"] * 1000), b"x" * 10_000])
async def test_headers_that_are_too_large_are_an_error_of_their_own(header):
    reply = writing(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n\r\n")
    _, _, error = await ask(reply, max_attempts=1)
    assert type(error) is IncompleteResponseError
    assert len(str(error)) < 500


@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops"])
async def test_a_list_of_models_without_end_is_left(status, monkeypatch):
    monkeypatch.setattr("scaffolding_core.workers.http.asking._LARGEST", 100_000)
    reply = writing(b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\n\r\n", end=b"[" * 1000)
    async with raw_server(reply) as server, OpenAIWorker(server.url) as worker:
        with pytest.raises(WorkerError):
            await worker.served_models()
        assert worker.context_window is None


WHOLE = event("7") + b"\n\n"


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + event("7"),
        HEAD + WHOLE,
        HEAD + b"\xef\xbb\xbf" + WHOLE,
        http(WHOLE).replace(b"content-length: ", b"content-length: 1"),
        http(event("7")).replace(b"content-length: ", b"content-length: 1"),
        http(WHOLE + b"data: [DO").replace(b"content-length: ", b"content-length: 1"),
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        b"%x\r\n%s\r\n" % (len(WHOLE), WHOLE),
        HEAD + WHOLE + b"data: [[[\n\n",
        HEAD + WHOLE + b'data: {"error": "late"}\n\n',
    ],
    ids=[
        "no blank line",
        "no [DONE]",
        "mark",
        "short",
        "short, no blank line",
        "cut [DONE]",
        "no last chunk",
        "garbage",
        "error",
    ],
)
async def test_an_answer_is_whole_with_its_finish_reasons_whatever_its_end(raw):
    async def reply(number, writer):
        writer.write(raw)
        writer.close()

    task, requests, error = await ask(reply)
    assert (error, requests, task.output_str) == (None, 1, "7")
    assert (task.usage.calls, task.usage.lost_calls) == (1, 0)


async def test_the_end_of_a_whole_answer_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr("scaffolding_core.workers.http.stream._LONGEST_END", SOON)
    task, requests, error = await ask(writing(HEAD + WHOLE), timeout=LATER)
    assert (error, requests, task.output_str) == (None, 1, "7")


@pytest.mark.parametrize("end", [b"", b"\n\n", b'\n\ndata: {"choices": [{"ind'])
async def test_an_answer_whose_end_is_missing_is_asked_for_again(end):
    async def reply(number, writer):
        writer.write(HEAD + event("8", None) + end if number == 1 else answer("7"))
        if number == 1:
            writer.close()

    task, requests, error = await ask(reply)
    assert (error, requests, task.output_str) == (None, 2, "7")
