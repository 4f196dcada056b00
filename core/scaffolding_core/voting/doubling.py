"""Doubling: look after twice as many samples each time, and stop when most of them agree."""

from __future__ import annotations

import math

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import Tally

__all__ = ["Doubling"]


class Doubling(StopRule):
    """Looks after 4, 8, 16, ... samples, and stops where one answer has a share of all that are there.

    Few looks keep the chance small that an early run of equal answers decides, and each starts as many samples
    at once as there were before. Those without an answer count against every answer; refusals have the share as an
    answer does, where they lead.

    Args:
        share: of the samples, above 0.5, at most 1.
        first: samples before the first look, at least 2.

    Raises:
        InvalidRequestError: a number out of its range.
    """

    def __init__(self, share: float = 0.75, first: int = 4) -> None:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0.5 < share <= 1:
            raise InvalidRequestError(f"the share must be above 0.5 and at most 1, got {share!r}")
        if isinstance(first, bool) or not isinstance(first, int) or first < 2:
            raise InvalidRequestError(f"the first look must be after at least 2 samples, got {first!r}")
        self.share = share
        self.first = first

    def decided(self, seen: Tally, left: int) -> bool:
        """Whether this is a look, and an answer has the share; or nothing is left."""
        return self.need(seen, left) == 0

    def need(self, seen: Tally, left: int) -> int:
        """Samples to the first look at which what leads can have the share."""
        there, leader = len(seen.choices), max(seen.leader, seen.refusals)
        look = self.first
        while look < there:
            look *= 2
        while look - there < left:
            if leader + look - there >= math.ceil(self.share * look - 1e-9):
                return look - there
            look *= 2
        return left
