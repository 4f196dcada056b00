"""The scripted server, whose script does all that it is asked."""

import itertools
import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from scaffolding_core import OpenAIWorker
from tests.engines.engine import Engine, Row
from tests.servers.scripted import Reply, scripted_server

__all__ = ["ROW"]

MODEL = "scripted-model"
WINDOW = 2000
WORDS = ["the", "old", "keeper", "saw", "a", "small", "ship", "and", "lit", "his", "lamp"]
UNTOLD = itertools.count(1000)
"""Seeds of those who name none."""


def written(body: dict[str, Any]) -> Reply:
    """What a model that obeys would write."""
    prompt = body.get("prompt") or json.dumps(body.get("messages"))
    length = len(prompt.split() if isinstance(prompt, str) else prompt)
    kind = body.get("response_format", {}).get("type", "text")
    if body["model"] != MODEL:
        return _refused(404, f"the model {body['model']!r} does not exist", "model_not_found")
    if length > WINDOW:
        return _refused(400, f"the prompt has {length} tokens", "context_length_exceeded")
    if kind not in _STRUCTURES:
        return _refused(400, f"there is no response_format {kind!r}", "invalid_value")
    usage = {"prompt_tokens": length, "completion_tokens": 3}
    if "tools" in body and body.get("tool_choice") != "none":
        return Reply(pieces=(), tool_calls=(("clock", '{"city": "Paris"}'),), finish="tool_calls", usage=usage)
    if kind != "text":
        return Reply(pieces=(_STRUCTURES[kind],), usage=usage)
    if "reasoning_effort" in body:
        return Reply(reasoning="six sevens", pieces=("42",), usage=usage)
    return _story(body, length)


_STRUCTURES = {"text": "", "json_schema": '{"age": 31}', "regex": "123"}


def _refused(status: int, message: str, code: str) -> Reply:
    return Reply(status=status, body={"error": {"message": message, "code": code}})


def _story(body: dict[str, Any], length: int) -> Reply:
    """Words drawn at random: each choice its own, piece by piece, all side by side."""
    seed = body.get("seed", next(UNTOLD)) if body.get("temperature") != 0 else 0
    choices = [_choice(body, random.Random(f"{seed} {index}"), index) for index in range(body.get("n", 1))]
    pieces = [piece for together in itertools.zip_longest(*choices) for piece in together if piece is not None]
    usage = {"prompt_tokens": length, "completion_tokens": sum(len(choice) - 1 for choice in choices)}
    events = [{"choices": [piece]} for piece in pieces] + [{"choices": [], "usage": usage}]
    return Reply(events=(*map(json.dumps, events), "[DONE]"), between=0.001)


def _choice(body: dict[str, Any], rng: random.Random, index: int) -> list[Mapping[str, Any]]:
    """The pieces of a choice, each with a token, but for the last."""
    most, pieces, finish = body.get("max_tokens", 40), [], "length"
    stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop", ())
    for _ in range(most):
        token = f" {rng.choice(WORDS)}"
        if at := [token.index(stop) for stop in stops if stop in token]:
            token, finish = token[: min(at)], "stop"
        pieces.append({"index": index, **_piece(body, token)})
        if finish == "stop":
            break
    return [*pieces, {"index": index, "text": "", "delta": {}, "finish_reason": finish}]


def _piece(body: dict[str, Any], token: str) -> Mapping[str, Any]:
    """A token as its route has it."""
    if "messages" not in body:
        top = {token: -0.5, " or": -1.5, " and": -2.5}
        told = {"tokens": [token], "token_logprobs": [-0.5], "top_logprobs": [top]}
        return {"text": token, "logprobs": told if "logprobs" in body else None}
    ranked = [{"token": each, "logprob": -0.5 - rank} for rank, each in enumerate((token, " or", " and"))]
    told = {"content": [{**ranked[0], "top_logprobs": ranked}]}
    return {"delta": {"content": token}, "logprobs": told if body.get("logprobs") else None}


@contextmanager
def start(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with scripted_server(written) as server:

        @asynccontextmanager
        async def worker(model: str = MODEL) -> AsyncIterator[OpenAIWorker]:
            async with OpenAIWorker(server.url, model, accepts=["ignore_eos"]) as worker:
                yield worker

        async def running() -> int:
            return sum(body.get("n", 1) for body in server.requests[-1:]) * server.open

        yield Engine(
            worker=worker,
            unknown_model=lambda: worker("no-such-model"),
            window=WINDOW + 1,
            running=running,
        )


ROW = Row(start=start)
