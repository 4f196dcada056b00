"""Numbers of an answer as they come: what is no sensible number is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from scaffolding_core.messages import TokenLogprob, Usage

__all__ = ["Scored", "log_probability", "read_count", "read_logprobs", "read_usage"]

Scored: TypeAlias = tuple[str, TokenLogprob | None]
"""A token, and what it scored, if that is a number."""


_MOST = 10**15
"""Tokens that no request has cost."""

_ROUNDING = 1e-3
"""How far above 0 a log probability may be that was rounded."""


def read_usage(usage: object) -> Usage | None:
    """The server's count of one request; None if it tells none: the answer is good without."""
    if not isinstance(usage, dict):
        return None
    prompt, completion = read_count(usage.get("prompt_tokens")), read_count(usage.get("completion_tokens"))
    if prompt is None and completion is None:
        return None
    return Usage(
        prompt_tokens=prompt or 0,
        completion_tokens=completion or 0,
        cached_tokens=_part(usage.get("prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=_part(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


# Any: JSON from outside.
def read_logprobs(given: Mapping[str, Any]) -> list[Scored]:
    """Log probabilities in either shape.

    Raises:
        TypeError, KeyError, AttributeError: they have another shape.
    """
    if isinstance(given.get("content"), list):  # as chats have them
        entries = [
            (_place(entry), [_place(top) for top in entry.get("top_logprobs") or ()]) for entry in given["content"]
        ]
    else:
        tokens = given.get("tokens") or ()
        likely = given.get("top_logprobs") or [{}] * len(tokens)
        own = given.get("token_logprobs") or ()
        entries = [
            ((str(token), logprob, None), [(str(other), value, None) for other, value in (top or {}).items()])
            for token, logprob, top in zip(tokens, own, likely, strict=False)
        ]
    return [(place[0], _scored(place, tops)) for place, tops in entries]


_Place: TypeAlias = tuple[str, object, object]
"""A token's text, its log probability and its id, if there is one."""


def _place(entry: Mapping[str, Any]) -> _Place:
    return str(entry.get("token", "")), entry.get("logprob"), entry.get("id")


def _scored(place: _Place, tops: list[_Place]) -> TokenLogprob | None:
    token, own = place[0], log_probability(place[1])
    if own is None:
        return None
    likely = [(other, score, told) for other, value, told in tops if (score := log_probability(value)) is not None]
    ids = tuple(told for _, _, told in likely if isinstance(told, int))
    return TokenLogprob(
        token,
        own,
        tuple((other, score) for other, score, _ in likely),
        place[2] if isinstance(place[2], int) else None,
        ids if len(ids) == len(likely) else (),
    )


def log_probability(value: object) -> float | None:
    """A number that is no more than 0, minus infinity among them; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= _ROUNDING:  # as NaN is not
        return None
    return min(float(value), 0.0)


def _part(details: object, name: str) -> int:
    return (read_count(details.get(name)) or 0) if isinstance(details, dict) else 0


def read_count(count: object) -> int | None:
    """A number of tokens; None for anything else."""
    if isinstance(count, bool) or not isinstance(count, (int, float)) or not 0 <= count <= _MOST:
        return None
    return int(count)
