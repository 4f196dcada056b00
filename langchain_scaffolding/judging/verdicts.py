"""What a judge says, as a score, as yes or no, or as an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, SupportsFloat

from langchain_core.messages import BaseMessage
from pydantic import BaseModel

from langchain_scaffolding.translation.results import plain
from scaffolding_core import WorkerError

__all__ = ["answer_of", "feedback_of", "score_of", "verdict_of"]

_WORDS = ("feedback", "reasoning", "comment")

_YES = frozenset({"yes", "true", "correct", "valid", "pass", "passed", "same", "equivalent", "y"})
_NO = frozenset({"no", "false", "incorrect", "invalid", "fail", "failed", "different", "n"})


def score_of(said: Any) -> float:
    """The score that a judge gave: a number, yes (1) or no (0), or data with a `score` or only one number.

    Raises:
        WorkerError: no finite number, or several.
    """
    score = _number(said)
    if score is None or not math.isfinite(score):
        raise WorkerError(
            f"the judge gave no score but {str(said)[:200]!r}: "
            "let it return a number, yes or no, or {'score': ...}"
        )
    return score


def verdict_of(said: Any) -> bool:
    """Whether a judge said yes: a truth value, yes or no, or a score from 0 to 1, where 0.5 is a yes.

    Raises:
        WorkerError: neither.
    """
    score = score_of(said)
    if not 0 <= score <= 1:
        raise WorkerError(f"the judge gave {score:g} where yes or no was due: let it return one of them")
    return score >= 0.5


def feedback_of(said: Any) -> str | None:
    """The words of a judge beside its score, in data with a `feedback`, `reasoning` or `comment`."""
    data = _data(said)
    words = (data.get(name) for name in _WORDS) if data is not None else ()
    return next((word for word in words if isinstance(word, str) and word), None)


def answer_of(said: Any) -> object:
    """The answer that a judge found; None where it found none, or an empty text."""
    if isinstance(said, BaseMessage):
        said = said.text
    if isinstance(said, str):
        return said.strip() or None
    return plain(said)


def _number(said: Any) -> float | None:
    if isinstance(said, SupportsFloat):  # those of numpy and the like among them
        with suppress(TypeError, ValueError, OverflowError):
            return float(said)
        return None
    if isinstance(said, BaseMessage):
        said = said.text
    if isinstance(said, str):
        return _number_in(said.strip())
    if isinstance(said, list | tuple):
        return _number(said[0]) if len(said) == 1 else None
    data = _data(said)
    if data is None:
        return None
    for name in ("score", "value"):  # LangSmith's evaluators have the latter where it is no number
        if data.get(name) is not None:
            return _number(data[name])
    numbers = [value for value in data.values() if isinstance(value, SupportsFloat)]
    return _number(numbers[0]) if len(numbers) == 1 else None


def _data(said: Any) -> Mapping[str, Any] | None:
    if isinstance(said, BaseModel):
        return {name: getattr(said, name) for name in type(said).model_fields}
    if isinstance(said, list | tuple) and len(said) == 1:
        return _data(said[0])
    if not isinstance(said, Mapping):
        return None
    return _data(said["results"]) if "results" in said else said


def _number_in(text: str) -> float | None:
    word = text.rstrip(".!").lower()
    if word in _YES or word in _NO:
        return float(word in _YES)
    try:
        return float(text)
    except ValueError:
        return None
