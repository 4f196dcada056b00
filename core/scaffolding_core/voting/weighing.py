"""What the answers of a vote weigh, by the scores of the samples that gave them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from scaffolding_core.errors import InvalidRequestError

__all__ = ["WEIGHINGS", "Borda", "Weighing", "resolve_weighing"]

Weighing: TypeAlias = Callable[[Sequence[Sequence[float]]], list[float]]
"""Takes the scores of the samples of each answer, and gives the weight of each answer."""

_MOST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Borda:
    """A sample's weight is a power of its place, the lowest score being the first; equals share their places.

    Only the order of scores counts, so that it does not matter on which scale they are.

    Source: Kang et al. 2025, arXiv 2502.18581.

    Args:
        exponent: 0 is a plain vote, 1 the classic Borda count, a great one takes the best sample.

    Raises:
        InvalidRequestError: an exponent below 0.
    """

    exponent: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.exponent, int | float) or not 0 <= self.exponent <= _MOST:
            raise InvalidRequestError(f"the exponent of Borda must be at least 0, got {self.exponent!r}")

    def __call__(self, scores: Sequence[Sequence[float]]) -> list[float]:
        """The weight of each answer."""
        ranked = sorted(score for each in scores for score in each)
        last = {score: place for place, score in enumerate(ranked, 1)}
        first = {score: place for place, score in reversed(list(enumerate(ranked, 1)))}
        shares = {score: ((first[score] + last[score]) / 2 / len(ranked)) ** self.exponent for score in last}
        return [sum(shares[score] for score in each) for each in scores]


def _count(scores: Sequence[Sequence[float]]) -> list[float]:
    return [float(len(each)) for each in scores]


def _sum(scores: Sequence[Sequence[float]]) -> list[float]:
    """As far as a number goes: some rewards are the lowest that there is."""
    return [max(-_MOST, min(_MOST, sum(each))) for each in scores]


def _mean(scores: Sequence[Sequence[float]]) -> list[float]:
    return [sum(score / len(each) for score in each) for each in scores]


WEIGHINGS: Mapping[str, Weighing] = MappingProxyType(
    {"sum": _sum, "mean": _mean, "borda": Borda(), "count": _count}
)
"""Weighings by name."""


def resolve_weighing(weighing: str | Weighing) -> Weighing:
    """A weighing, by its name or as it is.

    Raises:
        InvalidRequestError: none of that name.
    """
    if isinstance(weighing, str) and weighing in WEIGHINGS:
        return WEIGHINGS[weighing]
    if isinstance(weighing, str) or not callable(weighing):
        raise InvalidRequestError(f"no weighing is named {weighing!r}; there are: {', '.join(WEIGHINGS)}")
    return weighing
