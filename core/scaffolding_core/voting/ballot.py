"""Ballot: one vote, from the first sample to the winner."""

from __future__ import annotations

import math

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import REFUSED, Tally, winner

__all__ = ["Ballot"]


class Ballot:
    """Counts samples as they come, in the order that the stop rule must see them.

    Args:
        rule: when to stop.
        n: samples at most.
        run_ahead: samples in flight, as a factor of what the rule still needs, at least 1, `math.inf` for all at
            once; None for the rule's own.

    Attributes:
        decided: whether the rest is not needed.
        ahead: how many samples may run and not be counted yet.

    Raises:
        InvalidRequestError: fewer than 1 sample, or a factor below 1, with which a vote could not go on.
    """

    def __init__(self, rule: StopRule, n: int, run_ahead: float | None = None) -> None:
        self.rule = rule
        self.n = n
        own = math.inf if n <= rule.all_at_once else rule.run_ahead
        self.run_ahead = own if run_ahead is None else run_ahead
        self._all_at_once = self.run_ahead == math.inf
        if n < 1:
            raise InvalidRequestError(f"a vote needs at least 1 sample, got {n!r}")
        if not self.run_ahead >= 1:
            raise InvalidRequestError(f"run_ahead must be at least 1, got {self.run_ahead!r}")
        self.decided = False
        self._seen = Tally()
        self._choices: dict[int, int | None] = {}
        self._in_order = rule.in_order
        self._all_count = not self._in_order
        self._left = n
        self.ahead = self._reach = n if self._all_at_once else math.ceil(self.run_ahead * rule.need(self._seen, n))

    def see(self, index: int, choice: int | None) -> None:
        """Count a sample that ended; one that failed, or has no answer, has no choice."""
        self._choices[index] = choice
        if not self._in_order:
            self._count(choice)
            self.ahead = self._reach
            return
        # None after the decision: else what counts would depend on which samples are fast.
        while not self.decided and (following := len(self._seen.choices)) in self._choices:
            self._count(self._choices[following])
        # The aim is an index, so that one slow sample starts nothing extra.
        aim = len(self._seen.choices) + self._reach
        self.ahead = max(0, aim - len(self._choices))

    def refuse(self, index: int) -> None:
        """Count a sample that declines to answer."""
        self.see(index, REFUSED)

    def count_all(self) -> None:
        """Let every sample vote that is there, whatever the order: time is up."""
        self._all_count = True

    def votes(self) -> dict[int, int | None]:
        """The choice of each sample that counts, by index."""
        if self._all_count:
            return self.seen()
        return dict(enumerate(self._seen.choices))

    def seen(self) -> dict[int, int | None]:
        """The choice of each sample that ended, by index."""
        return dict(self._choices)

    def winner(self) -> int | None:
        """The class that won, `REFUSED` where half decline; None if nobody has an answer."""
        return winner(self.votes())

    def _count(self, choice: int | None) -> None:
        self._seen.add(choice)
        left = self._left = self._left - 1
        need = self.rule.need(self._seen, left)
        self._reach = left if self._all_at_once else math.ceil(self.run_ahead * need)
        self.decided = need == 0 and left > 0
