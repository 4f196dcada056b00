"""The threshold from which on answers are right often enough, as arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby
from statistics import NormalDist

from scaffolding_core.errors import InvalidRequestError

__all__ = ["threshold_for"]


def threshold_for(
    pairs: Iterable[tuple[float, bool]], accuracy: float = 0.95, *, sure: float | None = None
) -> float | None:
    """The lowest confidence such that of the answers with at least it the share that is right reaches an accuracy.

    Args:
        pairs: of recorded answers to questions like those to come: the confidence, and whether it was right.
        accuracy: the share, above 0 and up to 1.
        sure: how sure that must be, such as 0.95, by the lower bound of Wilson's one-sided interval; so few pairs
            are not enough. None takes the share as it is.

    Returns:
        The threshold; None where no threshold is enough.

    Raises:
        InvalidRequestError: a confidence that is no finite number, or an accuracy or a `sure` out of its range.
    """
    known = [(float(confidence), bool(right)) for confidence, right in pairs]
    if not all(math.isfinite(confidence) for confidence, _ in known):
        raise InvalidRequestError("a confidence must be a finite number: leave out answers that have none")
    if not 0 < accuracy <= 1:
        raise InvalidRequestError(f"accuracy must be a share above 0 and up to 1, got {accuracy!r}")
    if sure is not None and not 0 < sure < 1:
        raise InvalidRequestError(f"sure must be a probability between 0 and 1, or None, got {sure!r}")
    threshold, kept, right = None, 0, 0
    known.sort(reverse=True)
    for confidence, alike in groupby(known, key=lambda pair: pair[0]):
        said = [is_right for _, is_right in alike]
        kept, right = kept + len(said), right + sum(said)
        if (right / kept if sure is None else _lower_bound(right, kept, sure)) >= accuracy:
            threshold = confidence
    return threshold


def _lower_bound(right: int, kept: int, sure: float) -> float:
    """Of the share that is right, by Wilson 1927."""
    z = NormalDist().inv_cdf(sure)
    share = right / kept
    spread = z * math.sqrt(share * (1 - share) / kept + (z / kept) ** 2 / 4)
    return (share + z * z / kept / 2 - spread) / (1 + z * z / kept)
