"""Process reward models: how steps are written for each, and where its scores of them stand."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.messages import JsonObject
from scaffolding_core.workers.reward_logits import SEPARATOR, SYSTEM_PROMPT
from scaffolding_core.workers.reward_model.judged import Judged
from scaffolding_core.workers.reward_model.normalisation import sigmoid
from scaffolding_core.workers.reward_model.scores import checked_score, checked_scores

__all__ = [
    "CONVENTIONS",
    "Convention",
    "Post",
    "convention_named",
    "convention_of_model",
    "judged_chat",
    "steps_of",
]

Json: TypeAlias = Any
"""Whatever JSON holds; each field is checked where it is read."""


class Post(Protocol):
    """Asks the server."""

    def __call__(self, path: str, body: dict[str, Json]) -> Awaitable[Json]:
        """What it answers to a body at a path."""


@dataclass(frozen=True, slots=True)
class Convention:
    """What a family of process reward models was trained on.

    Args:
        name: what users call it.
        marks: parts of model names that tell it.
        score: asks for the score of each step.
    """

    name: str
    marks: tuple[str, ...]
    score: Callable[[Judged, Sequence[str], Post], Awaitable[list[float]]]


def steps_of(answer: str, separator: str) -> list[str]:
    """The steps of an answer that are not empty.

    Raises:
        WorkerError: there is none.
    """
    steps = [step.strip() for step in answer.split(separator) if step.strip()]
    if not steps:
        raise WorkerError("the answer has no step that a process reward model could score: it is empty")
    return steps


def judged_chat(judged: Judged, steps: Sequence[str], separator: str = SEPARATOR) -> list[JsonObject]:
    """The chat that Qwen2.5-Math-PRM judges; no separator stands in it but those behind the steps."""
    prompt = [_without(message, separator) for message in judged.prompt_messages]
    has_system = any(message["role"] == "system" for message in prompt)
    return [
        *([] if has_system else [{"role": "system", "content": SYSTEM_PROMPT}]),
        *prompt,
        {"role": "assistant", "content": "".join(step.replace(separator, "") + separator for step in steps)},
    ]


def _without(message: JsonObject, separator: str) -> JsonObject:
    content = message.get("content")
    return {**message, "content": content.replace(separator, "")} if isinstance(content, str) else message


async def _qwen(judged: Judged, steps: Sequence[str], post: Post) -> list[float]:
    """The chance of "good" at a separator behind each step, as a softmax over two labels."""
    messages = judged_chat(judged, steps)
    told = await post("/pooling", {"messages": messages, "add_generation_prompt": False})
    rows = _rows(told)
    if len(rows) != len(steps):  # all tokens, not the separators alone
        rows = [rows[place] for place in await _separators(messages, len(rows), len(steps), post)]
    return [_good(row) for row in rows]


async def _separators(messages: Sequence[Json], tokens: int, steps: int, post: Post) -> list[int]:
    told = await post("/tokenize", {"messages": list(messages), "add_generation_prompt": False})
    mark = (await post("/tokenize", {"prompt": SEPARATOR, "add_special_tokens": False}))["tokens"]
    if len(mark) != 1:
        raise WorkerError(f"{SEPARATOR!r} is {len(mark)} tokens to the reward model, where it must be one")
    places = [place for place, token in enumerate(told["tokens"]) if token == mark[0]]
    if len(told["tokens"]) != tokens or len(places) != steps:
        raise WorkerError(
            f"the reward model told scores of {tokens} tokens, where the chat has {len(told['tokens'])} with "
            f"{len(places)} separators for {steps} steps: serve it with pooling of all tokens, or of steps"
        )
    return places


def _good(row: Sequence[float]) -> float:
    """The chance of the second label: told as such, or by logits."""
    if len(row) != 2:
        raise WorkerError(f"the reward model told {len(row)} labels of a step, where two are needed")
    if min(row) >= 0 and math.isclose(sum(row), 1, abs_tol=1e-3):
        return row[1]
    return sigmoid(row[1] - row[0])


async def _skywork(judged: Judged, steps: Sequence[str], post: Post) -> list[float]:
    """The sigmoid of the value at the line break behind each step, which is a token of its own."""

    async def tokens_of(text: str, first: bool = False) -> list[int]:
        told = await post("/tokenize", {"prompt": text, "add_special_tokens": first})
        return list(told["tokens"])

    tokens = await tokens_of(judged.prompt + "\n", first=True)
    line_break = (await tokens_of("\n"))[-1]
    ends: list[int] = []
    for step in steps:
        tokens += [*await tokens_of(step), line_break]
        ends.append(len(tokens) - 1)
    rows = _rows(await post("/pooling", {"input": tokens, "use_activation": False}))
    if len(rows) != len(tokens):
        raise WorkerError(
            f"the reward model told scores of {len(rows)} tokens, where it was asked for {len(tokens)}: serve it "
            "with pooling of all tokens"
        )
    return [sigmoid(checked_scores(rows[end], 1)[0]) for end in ends]


def _rows(told: Json) -> list[list[float]]:
    """The scores of each token, or of each step, of a single text."""
    rows = told["data"][0]["data"]
    return [checked_scores(row, len(row)) if isinstance(row, list) else [checked_score(row)] for row in rows]


CONVENTIONS: Mapping[str, Convention] = {
    each.name: each
    for each in (
        Convention("qwen2.5-math-prm", ("math-prm", "math-7b-prm"), _qwen),
        Convention("skywork-prm", ("skywork-o1-open-prm", "skywork-prm"), _skywork),
    )
}
"""The conventions of process reward models, by name."""


def convention_named(name: str) -> Convention:
    """A convention.

    Raises:
        InvalidRequestError: there is none of that name.
    """
    if name not in CONVENTIONS:
        raise InvalidRequestError(f"no convention is named {name!r}; there are: {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


def convention_of_model(model: str | None) -> Convention | None:
    """The convention that a model's name tells; None for one that scores answers as a whole."""
    name = (model or "").lower()
    return next((each for each in CONVENTIONS.values() if any(mark in name for mark in each.marks)), None)
