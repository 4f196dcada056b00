"""What each server's refusals mean: one row for each that it is known to send."""

import json

import pytest

from scaffolding_core import (
    AuthenticationError,
    BackendTimeoutError,
    BadRequestError,
    ContextLengthExceededError,
    IncompleteResponseError,
    ModelNotFoundError,
    RateLimitError,
    ServerError,
    WorkerError,
)
from tests.core.workers.asking import outcome
from tests.servers.scripted import Reply

pytestmark = pytest.mark.usefixtures("short_waits")


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
    assert "\n" not in str(error)
    assert server.url in str(error)


@pytest.mark.parametrize(
    ("event", "expected", "requests"),
    [
        (nested("engine died", "InternalServerError", 500), ServerError, 2),
        (nested("no room left", "BadRequestError", 400), BadRequestError, 1),
        (nested("too long", "exceed_context_size_error", 400), ContextLengthExceededError, 1),
        ({"error": "engine died"}, ServerError, 2),
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


async def test_an_engine_that_aborts_a_sample_has_not_answered_it():
    _, _, error = await outcome(Reply(finish="abort"), max_attempts=1)
    assert isinstance(error, IncompleteResponseError)


async def test_an_address_without_its_path_says_what_it_may_lack():
    _, _, error = await outcome(Reply(status=404, body={"detail": "Not Found"}))
    assert "/v1" in str(error)
