"""Full: never stop early."""

from __future__ import annotations

from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import Tally

__all__ = ["Full"]


class Full(StopRule):
    """Waits for every sample."""

    in_order = False

    def decided(self, seen: Tally, left: int) -> bool:
        """Whether nothing is left."""
        return left == 0

    def need(self, seen: Tally, left: int) -> int:
        """All that is left."""
        return left
