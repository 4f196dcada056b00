"""Scores of different reward models on one scale, as arithmetic on plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scaffolding_core.errors import InvalidRequestError, WorkerError

__all__ = ["from_range", "ranks", "sigmoid", "z_scores"]


def sigmoid(score: float) -> float:
    """An unbounded score as a chance from 0 to 1; 0 becomes 0.5."""
    if score >= 0:
        return 1 / (1 + math.exp(-score))
    # The exponential of a large positive number would overflow.
    weight = math.exp(score)
    return weight / (1 + weight)


def from_range(score: float, low: float, high: float) -> float:
    """A score from low to high as one from 0 to 1.

    Raises:
        InvalidRequestError: low is not below high.
        WorkerError: the score lies outside the range, or is NaN.
    """
    if not low < high:
        raise InvalidRequestError(f"the low end of a range must be below its high end, got {low!r} and {high!r}")
    if not low <= score <= high:
        raise WorkerError(f"the reward model scored {score}, outside the range from {low} to {high}")
    return (score - low) / (high - low)


def z_scores(scores: Sequence[float]) -> list[float]:
    """How many standard deviations each score lies above the average of all; zeros where all are equal."""
    if not scores:
        return []
    average = math.fsum(scores) / len(scores)
    apart = [score - average for score in scores]
    deviation = math.hypot(*apart) / math.sqrt(len(scores))
    # Equal scores may differ from their average by a rounding error, which says nothing of them.
    if min(scores) == max(scores):
        return [0.0] * len(scores)
    return [distance / deviation for distance in apart]


def ranks(scores: Sequence[float]) -> list[float]:
    """The place of each score among all, from 0 for the lowest to 1 for the highest; equal scores share theirs.

    A score alone has rank 0.5.
    """
    others = len(scores) - 1
    if others < 1:
        return [0.5] * len(scores)
    return [
        (sum(other < score for other in scores) + (sum(other == score for other in scores) - 1) / 2) / others
        for score in scores
    ]
