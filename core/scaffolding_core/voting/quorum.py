"""Quorum: stop when enough samples agree, or can no longer."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import Tally

__all__ = ["Quorum"]


class Quorum(StopRule):
    """Stops when one answer has a given share of all N samples, or none can reach it any more.

    The share is of all samples, so those that fail or abstain count against every answer. Above one half
    only one answer can reach it; at or below, the first that does wins. Refusals reach it as an answer does,
    where they win.

    Args:
        share: of the samples, above 0, at most 1.

    Raises:
        InvalidRequestError: a share outside that range.
    """

    in_order: ClassVar[bool] = False

    def __init__(self, share: float) -> None:
        if not (isinstance(share, int | float) and 0 < share <= 1):
            raise InvalidRequestError(f"the share of a quorum must be above 0 and at most 1, got {share!r}")
        self.share = share

    def __repr__(self) -> str:
        return f"Quorum({self.share!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.share == self.share

    def __hash__(self) -> int:
        return hash(self.share)

    def reached(self, votes: int, n: int) -> bool:
        """Whether so many votes of n samples are enough."""
        return votes / n >= self.share

    def decided(self, seen: Tally, left: int) -> bool:
        """Whether nothing is left, what leads has reached the quorum, or nobody can."""
        return self.need(seen, left) == 0

    def need(self, seen: Tally, left: int) -> int:
        """The votes that the leader still lacks; 0 if even all that is left would not do."""
        n = len(seen.choices) + left

        def settles(further: int) -> bool:
            refused = seen.refusals + further >= seen.answers and self.reached(seen.refusals + further, n)
            return refused or self.reached(seen.leader + further, n)

        return next((further for further in range(left + 1) if settles(further)), 0)
