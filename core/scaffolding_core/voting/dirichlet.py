"""Dirichlet: stop when the leader is probably the most likely of all answers (Adaptive-Consistency)."""

from __future__ import annotations

import functools
import math

from scaffolding_core.voting.beta import checked_confidence
from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import Tally

__all__ = ["Dirichlet", "dirichlet_confidence"]

STEPS = 400
"""Intervals of the integral: its error is below 1e-6."""


class Dirichlet(StopRule):
    """Stops when the leading answer is the most likely of all with the given confidence.

    All counts are taken, and one answer that nobody gave yet. Stricter than `Beta` where votes scatter.

    Source: Aggarwal et al. 2023, arXiv 2305.11860.

    Args:
        confidence: between 0.5 and 1.

    Raises:
        InvalidRequestError: a confidence out of range.
    """

    def __init__(self, confidence: float = 0.95) -> None:
        self.confidence = checked_confidence(confidence)

    def decided(self, seen: Tally, left: int) -> bool:
        """Whether P(p1 is the largest) reaches the confidence."""
        return left == 0 or dirichlet_confidence(seen.counts()) >= self.confidence

    def need(self, seen: Tally, left: int) -> int:
        """Votes for the leader until the confidence is reached."""
        leader, *others = seen.counts() or (0,)
        for further in range(left):
            if dirichlet_confidence((leader + further, *others)) >= self.confidence:
                return further
        return left


@functools.lru_cache(maxsize=4096)
def dirichlet_confidence(counts: tuple[int, ...]) -> float:
    """P(p1 is the largest) under Dirichlet(counts + 1), with one more answer of count 0.

    A Dirichlet draw is a set of gamma draws over their sum, so this is the chance that the leader's gamma is
    the largest: the integral of its density times the others' distribution functions, by Simpson's rule.

    Args:
        counts: votes of each answer, most first.
    """
    if not counts:
        return 0.0
    shapes = [count + 1 for count in counts]
    leader, others = shapes[0], [*shapes[1:], 1]
    end = leader + 12 * math.sqrt(leader) + 20
    width = end / STEPS
    total = 0.0
    for step in range(1, STEPS + 1):
        x = step * width
        weight = 1 if step == STEPS else 4 if step % 2 else 2
        density = math.exp((leader - 1) * math.log(x) - x - math.lgamma(leader))
        for shape in others:
            density *= _gamma_below(shape, x)
        total += weight * density
    return total * width / 3


def _gamma_below(shape: int, x: float) -> float:
    """P(G <= x) of a gamma draw with a whole shape."""
    term = tail = math.exp(-x)
    for k in range(1, shape):
        term *= x / k
        tail += term
    return 1 - tail
