"""One score for an answer out of the scores of its steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from scaffolding_core.errors import InvalidRequestError, WorkerError

__all__ = ["AGGREGATES", "aggregate_steps", "last", "mean", "minimum", "product"]

_LEAST = math.ulp(0.0)


def aggregate_steps(scores: Sequence[float], aggregate: str) -> float:
    """One score for all steps of an answer.

    Args:
        scores: of each step, in their order.
        aggregate: a name of `AGGREGATES`.

    Raises:
        InvalidRequestError: no aggregate has this name.
        WorkerError: there is no score, one is NaN or infinite, or one cannot be multiplied.
    """
    if aggregate not in AGGREGATES:
        raise InvalidRequestError(f"no aggregate is named {aggregate!r}; there are: {', '.join(AGGREGATES)}")
    if not scores:
        raise WorkerError("the reward model scored no step, so the answer has no score")
    unusable = [score for score in scores if not math.isfinite(score)]
    if unusable:
        raise WorkerError(f"the reward model scored a step {unusable[0]}, where a finite number is needed")
    return AGGREGATES[aggregate](scores)


def minimum(scores: Sequence[float]) -> float:
    """The score of the worst step."""
    return min(scores)


def product(scores: Sequence[float]) -> float:
    """The chance that every step is good; above 0, however many steps there are.

    Raises:
        WorkerError: a score is no chance from 0 to 1.
    """
    for score in scores:
        if not 0 <= score <= 1:
            raise WorkerError(f"the reward model scored a step {score}, where a product needs chances from 0 to 1")
    return max(math.prod(scores), _LEAST)


def mean(scores: Sequence[float]) -> float:
    """The average of all steps."""
    return math.fsum(score / len(scores) for score in scores)


def last(scores: Sequence[float]) -> float:
    """The score of the last step."""
    return scores[-1]


AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    function.__name__: function for function in (minimum, product, mean, last)
}
"""What makes one score of many, by name."""
