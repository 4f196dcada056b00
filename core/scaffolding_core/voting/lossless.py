"""Lossless: stop when the leader cannot be overtaken."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import Tally

__all__ = ["Lossless"]


class Lossless(StopRule):
    """Stops when the result is that of the full vote, whatever the rest may be.

    That is in whatever order samples arrive: a tie of answers never stops early, since it is broken by sample
    index, which is not known before all are in.

    A vote of up to 16 starts all its samples at once: they cost one prompt where they share a request, the longest
    of them are those that are cut, and no other way is as fast. A larger one starts half as many again as could
    settle it. To pay for the fewest samples, give the vote `run_ahead=1`: it is slower.
    """

    in_order: ClassVar[bool] = False
    run_ahead: ClassVar[float] = 1.5
    all_at_once: ClassVar[int] = 16

    def decided(self, seen: Tally, left: int) -> bool:
        """Whether nothing is left, or the rest cannot change who wins."""
        return self.need(seen, left) == 0

    def need(self, seen: Tally, left: int) -> int:
        """The fewest votes k with leader + k > runner-up + left - k, and the like for answers and refusals."""
        short = (seen.runner_up + left - seen.leader) // 2 + 1
        if seen.refusals:
            if seen.refusing:  # of as many answers the refusals win, hence no 1 more
                short = (seen.answers + left - seen.refusals + 1) // 2
            else:
                short = max(short, (seen.refusals + left - seen.answers) // 2 + 1)
        return left if short > left else short if short > 0 else 0
