"""Lossless: stop when the leader cannot be overtaken."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import Tally

__all__ = ["Lossless"]


class Lossless(StopRule):
    """Stops when the leader has more votes than the runner-up could reach.

    The answer is always that of the full vote, in whatever order samples arrive: a tie never stops early,
    since it is broken by sample index, which is not known before all are in.
    """

    in_order: ClassVar[bool] = False
    run_ahead: ClassVar[float] = 1.5

    def decided(self, seen: Tally, left: int) -> bool:
        """Whether nothing is left, leader > runner-up + left, or the refusals have half of all, come what may."""
        return self.need(seen, left) == 0

    def need(self, seen: Tally, left: int) -> int:
        """The fewest votes k with leader + k > runner-up + left - k, or with half of all for the refusals."""
        short = (seen.runner_up + left - seen.leader) // 2 + 1
        if seen.refusals:
            refused = (seen.answers + left - seen.refusals + 1) // 2
            answered = max(short, (seen.refusals + left - seen.answers) // 2 + 1)
            short = min(refused, answered) if seen.refusals < seen.leader else refused
        return left if short > left else short if short > 0 else 0
