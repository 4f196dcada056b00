"""Full: never stop early."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import Tally

__all__ = ["Full"]


class Full(StopRule):
    """Waits for every sample."""

    in_order: ClassVar[bool] = False

    def decided(self, seen: Tally, left: int) -> bool:
        """Whether nothing is left."""
        return left == 0

    def need(self, seen: Tally, left: int) -> int:
        """All that is left."""
        return left
