"""Concurrency: how many requests a replica takes at once, learned from those it refuses; arithmetic."""

from __future__ import annotations

__all__ = ["Concurrency"]

_START = 20.0
_MORE, _LESS = 1.05, 0.8
_LEAST_STEP = 0.5


class Concurrency:
    """Doubles with each round of answers until the first 429, then falls to 0.8 with one and grows by 5 % a round.

    A round is as many answers as the limit. It grows only where the limit was reached, and is cut once for all
    requests that were on their way together. Failures of the server say nothing of it.

    Args:
        most: that it never exceeds.

    Source: AIMD, as inspect_ai has it.
    """

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._limit = min(_START, self._most)
        self._answers = 0
        self._reached = False
        self._doubles = True
        self._cut_at = float("-inf")

    @property
    def limit(self) -> int:
        """Requests at once."""
        return int(self._limit)

    def has_room(self, running: int) -> bool:
        """Whether one more may start beside those that run."""
        if running < self.limit:
            return True
        self._reached = True
        return False

    def answered(self) -> None:
        """A request was answered."""
        self._answers += 1
        if self._answers < self.limit:
            return
        if self._reached:
            grown = self._limit * 2 if self._doubles else max(self._limit * _MORE, self._limit + _LEAST_STEP)
            self._limit = min(self._most, grown)
        self._answers, self._reached = 0, False

    def refused(self, started: float, now: float) -> bool:
        """A request that started then was refused with a 429; whether it is the first of its round."""
        self._doubles = False
        if started <= self._cut_at:
            return False
        self._limit = max(1.0, self._limit * _LESS)
        self._answers, self._reached, self._cut_at = 0, False, now
        return True
