"""What each server's refusals mean: one row for each that it is known to send."""

import asyncio
import gzip
import json

import pytest

from scaffolding_core import (
    AuthenticationError,
    BackendTimeoutError,
    BadRequestError,
    ChatTask,
    ContentFilterError,
    ContextLengthExceededError,
    GenerationTask,
    IncompleteResponseError,
    MajorityVoteController,
    ModelNotFoundError,
    NativeGenerationController,
    OpenAIWorker,
    RateLimitError,
    ScaffoldingLlm,
    ServerError,
    UserMessage,
    WorkerError,
)
from tests.core.workers.asking import outcome
from tests.servers.raw import event, http, raw_server
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("short_waits")

JSON, BAD = "application/json", "400 Bad Request"


async def raised(reply):
    """The error of a request that a raw server answers."""
    async with raw_server(reply) as server, OpenAIWorker(server.url, "m") as worker:
        with pytest.raises(WorkerError) as error:
            await worker.run_task(GenerationTask(input_str="q"))
    return error.value


def nested(message, kind, code, param=None):
    """As OpenAI, vLLM and llama.cpp put it."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def flat(message, kind, code):
    """As trtllm-serve and SGLang put it."""
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code}


VLLM = {
    "refusal": (400, nested("temperature must be non-negative", "BadRequestError", 400), BadRequestError),
    "overflow": (
        400,
        nested("Your prompt has 5000 tokens", "BadRequestError", 400, "input_tokens"),
        ContextLengthExceededError,
    ),
    "overflow, older": (
        400,
        nested("This model's maximum context length is 4096 tokens.", "BadRequestError", 400),
        ContextLengthExceededError,
    ),
    "unknown model": (
        404,
        nested("The model `x` does not exist.", "NotFoundError", 404, "model"),
        ModelNotFoundError,
    ),
    "overload": (503, nested("Too many queued requests", "ServiceUnavailableError", 503), ServerError),
}
LLAMA_CPP = {
    "overflow": (
        400,
        {
            "error": {
                "code": 400,
                "message": "request (20032 tokens) is too long, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 20032,
                "n_ctx": 8192,
            }
        },
        ContextLengthExceededError,
    ),
    "loading": (
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        ServerError,
    ),
    "more samples than slots": (
        400,
        {"error": {"code": 400, "message": "n_cmpl must be below the slots", "type": "invalid_request_error"}},
        BadRequestError,
    ),
}
TRTLLM_SERVE = {
    "overflow": (
        400,
        flat(
            "prompt length (9) and max_tokens (3) should not exceed max_seq_len (8)",
            "BadRequestError",
            400,
        ),
        ContextLengthExceededError,
    ),
    "validation": (400, {"error": "[{'type': 'extra_forbidden', 'loc': ('body', 'x')}]"}, BadRequestError),
    "validation, newer": (400, flat("1 validation error: x", "BadRequestError", 400), BadRequestError),
    "failure": (500, flat("Internal server error", "InternalServerError", 500), ServerError),
}
SGLANG = {
    "overflow": (
        400,
        flat("The input (9 tokens) is longer than the model's context length (8 tokens).", "BadRequestError", 400),
        ContextLengthExceededError,
    ),
    "overflow, with its answer": (
        400,
        flat("Input length (9 tokens) exceeds the maximum allowed length (8 tokens).", "BadRequest", 400),
        ContextLengthExceededError,
    ),
}
ANY = {
    "OpenAI's overflow": (
        400,
        nested("too long", "", "context_length_exceeded"),
        ContextLengthExceededError,
    ),
    "OpenAI's unknown model": (
        404,
        nested("no x", "", "model_not_found"),
        ModelNotFoundError,
    ),
    "no such route": (404, {"detail": "Not Found"}, BadRequestError),
    "fields that do not fit": (422, {"detail": [{"msg": "field required"}]}, BadRequestError),
    "no key": (401, nested("who are you", "invalid_request_error", None), AuthenticationError),
    "a key without rights": (403, {"detail": "Forbidden"}, AuthenticationError),
    "gave up waiting": (408, {}, BackendTimeoutError),
    "busy": (429, nested("slow down", "requests", None), RateLimitError),
    "words alone": (500, "oops", ServerError),
    "a gateway": (502, "<html>\n<body>bad gateway</body>\n</html>", ServerError),
    "OpenAI's filter": (400, nested("no", None, "content_policy_violation"), ContentFilterError),
    "Azure's filter": (
        400,
        nested("The prompt was filtered", None, "content_filter", "prompt"),
        ContentFilterError,
    ),
    "Azure's filter, older": (
        400,
        {"error": {"message": "no", "code": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        ContentFilterError,
    ),
    "a filter that fails": (500, nested("no", "content_filter", None), ContentFilterError),
    "Gemini's list": (429, [nested("slow down", None, 429)], RateLimitError),
    "nothing": (500, "", ServerError),
    "a null": (400, "null", BadRequestError),
    "a number": (400, "7", BadRequestError),
    "a list": (400, [1, "x"], BadRequestError),
    "an error that is true": (400, {"error": True}, BadRequestError),
    "an error that is empty": (400, {"error": [], "message": "no"}, BadRequestError),
    "a text as no text": (400, {"error": {"message": {"a": [1]}, "type": ["x"], "code": 1e400}}, BadRequestError),
    "nested deep": (400, "[" * 100_000, BadRequestError),
    "a large number": (400, "1" * 10_000, BadRequestError),
    "a long text": (400, nested("x" * 100_000, "BadRequestError", 400), BadRequestError),
    "what a terminal obeys": (
        400,
        nested("\x1b]0;title\x07 \x9b31m \ud800 \u202e", "BadRequestError", 400),
        BadRequestError,
    ),
    "words in lines": (400, nested("first\n  second\n", "BadRequestError", 400), BadRequestError),
    "another site": (200, "<html>hello</html>", WorkerError),
    "an error as an answer": (200, nested("late", "server_error", 500), ServerError),
}
SERVERS = {"vllm": VLLM, "llama.cpp": LLAMA_CPP, "trtllm-serve": TRTLLM_SERVE, "sglang": SGLANG, "any": ANY}
CELLS = [(f"{server}: {cell}", *row) for server, cells in SERVERS.items() for cell, row in cells.items()]


@pytest.mark.parametrize(("status", "body", "expected"), [c[1:] for c in CELLS], ids=[c[0] for c in CELLS])
async def test_refusals_of_each_server_are_typed_and_one_line(status, body, expected):
    _, server, error = await outcome(Reply(status=status, body=body), max_attempts=2)
    assert type(error) is expected
    assert str(error).isprintable()
    assert server.url in str(error)
    assert len(str(error)) < 800


@pytest.mark.parametrize("split", [1, -40])
async def test_an_error_body_is_read_whole_however_it_comes(split):
    whole = http(json.dumps(nested("too long", "", "context_length_exceeded")).encode(), JSON, "400 Bad Request")

    async def reply(number, writer):
        writer.write(whole[:split])
        await writer.drain()
        await asyncio.sleep(0.01)  # another segment
        writer.write(whole[split:])

    assert type(await raised(reply)) is ContextLengthExceededError


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (http(gzip.compress(b'{"error": {"message": "no"}}'), JSON, BAD, "content-encoding: gzip"), "says: no"),
        (http('{"error": "für"}'.encode("latin-1"), JSON + "; charset=iso-8859-1", BAD), "für"),
        (http(b'\xef\xbb\xbf{"error": "no"}', JSON, BAD), "says: no"),
        (http(b"<html><p>no</p></html>", "text/html", BAD), "says: no"),
        (http(b"x" * (1 << 21), "text/plain", BAD), "says: xxx"),
        (b"HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n", "says: no"),
        (b"HTTP/1.1 400 Bad\r\ncontent-length: 9\r\n\r\nno", "says: no"),
    ],
)
async def test_an_error_body_of_any_kind_is_understood_also_one_that_never_ends(raw, words, monkeypatch):
    monkeypatch.setattr("scaffolding_core.workers.http.failures._REFUSAL_SECONDS", 0.1)

    async def reply(number, writer):
        writer.write(raw)

    error = await raised(reply)
    assert type(error) is BadRequestError
    assert words in str(error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_told(status):
    with scripted_server(Reply()) as other:
        elsewhere = other.url.replace("//", "//user:password@") + "/chat/completions?key=hidden"
        reply = Reply(status=status, body={}, headers={"location": elsewhere})
        _, server, error = await outcome(reply)
        assert (len(server.requests), other.requests) == (1, [])
        assert f"({status}) to {other.url}/chat/completions," in str(error)
        async with raw_server(lambda number, writer: redirect(writer, other.url)) as asked:
            with pytest.raises(BadRequestError, match=other.url):
                await OpenAIWorker(asked.url).served_models()
        assert other.asked == []


async def redirect(writer, url):
    writer.write(http(b"", JSON, "307 Elsewhere", f"location: {url}/models"))


@pytest.mark.parametrize(
    ("event", "expected", "requests"),
    [
        (nested("engine died", "InternalServerError", 500), ServerError, 2),
        (nested("no room left", "BadRequestError", 400), BadRequestError, 1),
        (nested("too long", "exceed_context_size_error", 400), ContextLengthExceededError, 1),
        ({"error": "engine died"}, ServerError, 2),
        ({"error": True}, ServerError, 2),
        ({"error": {"message": "slow", "code": "429"}}, RateLimitError, 2),
        ({"error": {"message": "slow", "code": 429.0}}, RateLimitError, 2),
        ({"error": {"message": "slow", "code": True}}, ServerError, 2),
        ({"error": {"message": ["no"], "code": None, "type": "content_filter"}}, ContentFilterError, 1),
        ([1], IncompleteResponseError, 2),
        (None, IncompleteResponseError, 2),
        (flat("aborted", "InternalServerError", 500), ServerError, 2),
    ],
)
async def test_an_error_in_the_middle_of_a_stream_is_typed_and_tried_again_where_that_can_help(
    event, expected, requests
):
    piece = json.dumps({"choices": [{"index": 0, "text": "7"}]})
    events = (piece, json.dumps(event), "[DONE]")
    _, server, error = await outcome(Reply(events=events), max_attempts=2)
    assert type(error) is expected
    assert len(server.requests) == error.attempts == requests


@pytest.mark.parametrize("data", ['{"message": "no", "code": 503}', "no", "[[1]]", "null"])
async def test_what_a_server_calls_an_error_is_one(data):
    async def reply(number, writer):
        writer.write(http(event("7", None) + b"\n\nevent: error\ndata: " + data.encode() + b"\n\n"))

    async with raw_server(reply) as server, OpenAIWorker(server.url, "m", max_attempts=1) as worker:
        with pytest.raises(ServerError):
            await worker.run_task(GenerationTask(input_str="q"))


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_that_a_filter_cut_is_none_and_is_paid_once(chat, stream):
    task = ChatTask(messages=[UserMessage("q")]) if chat else GenerationTask(input_str="q")
    task, server, error = await outcome(Reply(finish="content_filter", stream=stream), task)
    assert type(error) is ContentFilterError
    assert (error.of_prompt, error.recurs, len(server.requests)) == (False, None, 1)
    assert (task.usage.calls, task.usage.total_tokens) == (1, 7)


async def test_a_prompt_that_a_filter_refused_ends_a_vote_at_once():
    refused = Reply(status=400, body=nested("no", None, "content_filter"))
    with scripted_server(refused) as server:
        async with (
            OpenAIWorker(server.url, "m") as worker,
            ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), 4), worker) as llm,
        ):
            with pytest.raises(ContentFilterError) as raised:
                await llm.generate_async("q")
    assert raised.value.of_prompt


async def test_an_engine_that_aborts_a_sample_has_not_answered_it():
    _, _, error = await outcome(Reply(finish="abort"), max_attempts=1)
    assert isinstance(error, IncompleteResponseError)


async def test_an_address_without_its_path_says_what_it_may_lack():
    _, _, error = await outcome(Reply(status=404, body={"detail": "Not Found"}))
    assert "/v1" in str(error)
