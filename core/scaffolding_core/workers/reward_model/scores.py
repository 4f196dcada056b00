"""Scores as a server told them: numbers that can be compared, or an error that names what came."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scaffolding_core.errors import WorkerError

__all__ = ["checked_score", "checked_scores"]


def checked_score(told: object) -> float:
    """A score out of parsed JSON.

    Raises:
        WorkerError: it is no number, NaN, or infinite.
    """
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise WorkerError(f"the reward model told {told!r} as a score, where a number is needed")
    try:
        score = float(told)
    except OverflowError:  # JSON bounds no integer, a float is bounded
        score = math.inf
    if not math.isfinite(score):
        raise WorkerError(f"the reward model told {score} as a score, where a finite number is needed")
    return score


def checked_scores(told: object, count: int) -> list[float]:
    """As many scores as there were texts or steps.

    Raises:
        WorkerError: it is no list, has another length, or holds what is no score.
    """
    if isinstance(told, str) or not isinstance(told, Sequence):
        raise WorkerError(f"the reward model told {told!r}, where a list of {count} scores is needed")
    if len(told) != count:
        raise WorkerError(f"the reward model told {len(told)} scores, where it was asked for {count}")
    return [checked_score(score) for score in told]
