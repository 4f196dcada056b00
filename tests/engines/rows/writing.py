"""The script of a model that does all that it is asked."""

import itertools
import json
import random
from typing import Any

from tests.servers.scripted import Reply

__all__ = ["MODEL", "WINDOW", "written"]

MODEL = "scripted-model"
WINDOW = 4096
WORDS = ["the", "old", "keeper", "saw", "a", "small", "ship", "and", "lit", "his", "lamp"]
STRUCTURES = {"text": "", "json_schema": '{"age": 31}', "regex": "123"}
PACE = 0.001
"""Seconds between two pieces."""

_untold = itertools.count(1000)
"""Seeds of those who name none."""


def written(body: dict[str, Any]) -> Reply:
    """Its answer."""
    prompt = body.get("prompt") or json.dumps(body.get("messages"))
    length = len(prompt.split() if isinstance(prompt, str) else prompt)
    kind = body.get("response_format", {}).get("type", "text")
    usage = {"prompt_tokens": length, "completion_tokens": 3}
    if body["model"] != MODEL:
        return _refusal(404, f"the model {body['model']!r} does not exist", "model_not_found")
    if length > WINDOW:
        return _refusal(400, f"the prompt has {length} tokens", "context_length_exceeded")
    if kind not in STRUCTURES:
        return _refusal(400, f"there is no response_format {kind!r}", "invalid_value")
    if "tools" in body and body.get("tool_choice") != "none":
        return Reply(pieces=(), tool_calls=(("clock", '{"city": "Paris"}'),), finish="tool_calls", usage=usage)
    if kind != "text":
        return Reply(pieces=(STRUCTURES[kind],), usage=usage)
    if "reasoning_effort" in body:
        return Reply(reasoning="six sevens", pieces=("42",), usage=usage)
    seed = body.get("seed", next(_untold)) if body.get("temperature") != 0 else 0
    choices = tuple(_story(body, random.Random(f"{seed} {index}")) for index in range(body.get("n", 1)))
    usage["completion_tokens"] = sum(len(tuple(choice.pieces)) for choice in choices)
    return Reply(each=choices, usage=usage, between=PACE)


def _refusal(status: int, message: str, code: str) -> Reply:
    return Reply(status=status, body={"error": {"message": message, "code": code}})


def _story(body: dict[str, Any], rng: random.Random) -> Reply:
    """Words drawn at random, up to the limit or a stop text."""
    stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop", ())
    scores = (_chat_scores if "messages" in body else _text_scores) if "logprobs" in body else None
    pieces: list[str] = []
    for _ in range(body.get("max_tokens", 40)):
        token = f" {rng.choice(WORDS)}"
        if found := [token.index(stop) for stop in stops if stop in token]:
            return Reply(pieces=(*pieces, token[: min(found)]), finish="stop", logprobs=scores)
        pieces.append(token)
    return Reply(pieces=tuple(pieces), finish="length", logprobs=scores)


def _ranked(token: str) -> dict[str, float]:
    return {token: -0.5, " or": -1.5, " but": -2.5}


def _text_scores(tokens: tuple[str, ...]) -> dict[str, Any]:
    return {
        "tokens": tokens,
        "token_logprobs": [-0.5] * len(tokens),
        "top_logprobs": [_ranked(token) for token in tokens],
    }


def _chat_scores(tokens: tuple[str, ...]) -> dict[str, Any]:
    def place(token: str) -> dict[str, Any]:
        top = [{"token": each, "logprob": number} for each, number in _ranked(token).items()]
        return {**top[0], "top_logprobs": top}

    return {"content": [place(token) for token in tokens]}
