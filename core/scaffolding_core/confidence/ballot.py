"""ConfidenceBallot: a vote of the confident, whose first samples say what confidence is usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scaffolding_core.confidence.threshold import kept_threshold
from scaffolding_core.voting import REFUSED

__all__ = ["ConfidenceBallot"]

_ROUNDING = 1e-9
"""Sums over windows that slide differ by so little where they are the same."""


class ConfidenceBallot:
    """Counts samples by weight, their lowest confidence, in the order of their numbers.

    The first samples, the warm-up, run together and whole. Their confidences set the threshold that a share of
    them reaches; whoever falls below it has no vote, of the warm-up too. From then on the vote is decided once
    what leads has its share of all weights.

    Args:
        n: samples at most.
        warm_up: the first of them.
        keep: the share of them that votes.
        consensus: the share of the weights that decides.
        ahead: how many samples may run at once after the warm-up.

    Attributes:
        threshold: None before the warm-up has ended, or where nothing is known of it.
        decided: whether the rest is not needed.
    """

    def __init__(self, n: int, *, warm_up: int, keep: float, consensus: float, ahead: int) -> None:
        self.warm_up: Final = min(warm_up, n)
        self.threshold: float | None = None
        self.decided = False
        self._keep, self._consensus, self._ahead = keep, consensus, ahead
        self._confidences: dict[int, float] = {}
        self._choices: dict[int, int | None] = {}
        self._left = n
        self._next = 0  # of those that are weighed in their order
        self._weights: dict[int, float] = {}

    @property
    def ahead(self) -> int:
        """How many samples may run and not be counted yet."""
        begun = len(self._choices)
        return self.warm_up - begun if begun < self.warm_up else self._ahead

    def confide(self, index: int, lowest: float) -> None:
        """Tell the lowest confidence of a sample that ends."""
        self._confidences[index] = lowest

    def falls_short(self, confidence: float) -> bool:
        """Whether a sample of that confidence has no vote."""
        return self.threshold is not None and confidence < self.threshold * (1 - _ROUNDING)

    def see(self, index: int, choice: int | None) -> None:
        """Count a sample that ended; one that failed, or has no answer, has no choice."""
        self._choices[index] = choice
        self._left -= 1
        if len(self._choices) < self.warm_up:
            return
        if len(self._choices) == self.warm_up and self._confidences:
            self.threshold = kept_threshold([*self._confidences.values()], self._keep)
        while not self.decided and self._next in self._choices:
            self._weigh(self._next)
            self._next += 1
            if self._next >= self.warm_up:
                self.decided = self._left > 0 and self._agreed()

    def refuse(self, index: int) -> None:
        """Count a sample that declines to answer."""
        self.see(index, REFUSED)

    def count_all(self) -> None:
        """Let every sample vote that is there, whatever the order: time is up."""
        self._next = max(self._choices, default=-1) + 1

    def votes(self) -> Mapping[int, int | None]:
        """The choice of each sample that counts, by index."""
        return {index: self._choice(index) for index in self._choices if index < self._next}

    def _choice(self, index: int) -> int | None:
        confidence = self._confidences.get(index)
        return None if confidence is None or self.falls_short(confidence) else self._choices[index]

    def _weigh(self, index: int) -> None:
        choice = self._choice(index)
        if choice is not None:
            self._weights[choice] = self._weights.get(choice, 0.0) + self._confidences[index]

    def _agreed(self) -> bool:
        total = sum(self._weights.values())
        return total > 0 and max(self._weights.values()) >= self._consensus * total
