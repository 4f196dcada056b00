"""Beta: stop when the leader is probably the most likely answer (Adaptive-Consistency)."""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Iterable

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import Tally

__all__ = ["Beta", "all_confident", "beta_confidence", "checked_confidence"]


class Beta(StopRule):
    """Stops when, of the two leading answers, the first is more likely with the given confidence.

    Where samples decline to answer, whether to answer at all is such a contest too: refusals against answers.

    Source: Aggarwal et al. 2023, arXiv 2305.11860.

    Args:
        confidence: between 0.5 and 1; at 0.95, four equal answers in a row settle a vote.

    Raises:
        InvalidRequestError: a confidence out of range.
    """

    def __init__(self, confidence: float = 0.95) -> None:
        self.confidence = checked_confidence(confidence)

    def decided(self, seen: Tally, left: int) -> bool:
        """Whether P(p1 > p2) reaches the confidence."""
        return self.need(seen, left) == 0

    def need(self, seen: Tally, left: int) -> int:
        """Votes for the leader until the confidence is reached."""
        contests = seen.contests()

        def settles(further: int) -> bool:
            return all_confident(contests, further, self.confidence)

        return bisect_left(range(left), True, key=settles)


@functools.lru_cache(maxsize=4096)
def beta_confidence(leader: int, runner_up: int) -> float:
    """P(p1 > p2) for two answers with these votes and a uniform prior: 1 - I_1/2(v1 + 1, v2 + 1).

    For whole numbers that is a binomial sum: v1 + v2 + 1 throws of a coin show more than v2 tails. Exact.
    """
    throws = leader + runner_up + 1
    ways = few_tails = 1
    for tails in range(1, runner_up + 1):
        ways = ways * (throws - tails + 1) // tails
        few_tails += ways
    return 1 - few_tails / (1 << throws)


def all_confident(contests: Iterable[tuple[int, int]], further: int, confidence: float) -> bool:
    """Whether each contest of a tally is settled, once what leads it has further votes."""
    return all(beta_confidence(ahead + further, behind) >= confidence for ahead, behind in contests)


def checked_confidence(confidence: float) -> float:
    """The confidence, if it is one.

    Raises:
        InvalidRequestError: not between 0.5 and 1.
    """
    if not isinstance(confidence, int | float) or not 0.5 < confidence < 1:
        raise InvalidRequestError(f"confidence must lie between 0.5 and 1, got {confidence!r}")
    return float(confidence)
