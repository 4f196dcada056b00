"""Scores out of the logits of a process reward model: which tokens judge, and what their logits say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from scaffolding_core.errors import InvalidRequestError, WorkerError

__all__ = ["SEPARATOR", "SYSTEM_PROMPT", "good_chances", "judging_places", "token_ids"]

SEPARATOR = "<extra_0>"
"""The token behind each step at which Qwen2.5-Math-PRM judges it."""

SYSTEM_PROMPT = "Please reason step by step, and put your final answer within \\boxed{}."
"""What it was trained to see (https://huggingface.co/Qwen/Qwen2.5-Math-PRM-7B)."""


def token_ids(encoded: Any) -> list[int]:  # Any: of whichever library
    """Token ids as numbers, whatever holds them; one batch around them is looked through."""
    plain = encoded.tolist() if hasattr(encoded, "tolist") else encoded
    return [int(token) for token in (plain[0] if plain and isinstance(plain[0], Iterable) else plain)]


def judging_places(tokenizer: Any, tokens: Sequence[int], separator: str) -> list[int]:
    """Where a separator stands among tokens.

    Args:
        tokenizer: has `encode`.
        tokens: of the chat that is judged.
        separator: the token that judges.

    Raises:
        InvalidRequestError: the separator is not one token of the tokenizer, or stands nowhere.
    """
    # With special tokens, a tokenizer that begins each text with one would give that.
    mark = token_ids(tokenizer.encode(separator, add_special_tokens=False))
    if len(mark) != 1:
        raise InvalidRequestError(
            f"the separator must be one token of the tokenizer, {separator!r} is {len(mark)}"
        )
    places = [place for place, token in enumerate(tokens) if token == mark[0]]
    if not places:
        raise InvalidRequestError(f"the tokenizer's chat template leaves out {separator!r}")
    return places


def good_chances(logits: Any, positions: Sequence[int], length: int) -> list[float]:
    """How likely the label "good", which is the second, is at some tokens.

    Only the rows of these tokens are read: a tensor may hold thousands more, on a GPU.

    Args:
        logits: of each token and each of its labels: nested lists, or what is indexed like them, as the arrays and
            tensors of any library; one batch around them is looked through.
        positions: of the tokens; from the end where negative.
        length: how many tokens there must be.

    Raises:
        WorkerError: there are more or fewer tokens, or less than two labels.
    """
    try:
        rows = logits[0] if _depth(logits) == 3 else logits
        if len(rows) != length:
            raise WorkerError(
                f"the reward model told logits of {len(rows)} tokens, where it was asked for {length}"
            )
        return [_second([float(label) for label in rows[position]]) for position in positions]
    except (TypeError, IndexError, ValueError) as error:
        raise WorkerError(f"the reward model must tell logits of each token and label: {error}") from error


def _depth(numbers: Any) -> int:
    """How often numbers are indexed until there is one."""
    told = getattr(numbers, "ndim", None)
    if told is not None:
        return int(told)
    return 1 + _depth(numbers[0]) if isinstance(numbers, Sequence) and numbers else 0


def _second(logits: Sequence[float]) -> float:
    """The softmax of the second logit."""
    highest = max(logits)
    weights = [math.exp(logit - highest) for logit in logits]
    return weights[1] / math.fsum(weights)
