"""StopRule: when a vote may end before all samples are in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from scaffolding_core.voting.tally import Tally

__all__ = ["StopRule"]


class StopRule(ABC):
    """Decides whether a vote is settled: pure arithmetic over what was seen.

    Attributes:
        in_order: it must see samples in index order, never in arrival order. Fast samples are not a fair
            draw, so a rule that bets on the rest would be biased by speed; one that cannot be wrong is not.
        run_ahead: how many samples run at once, as a factor of `need`, where the vote does not say.
        all_at_once: a vote of at most so many samples starts all of them at once, where it does not say.
    """

    in_order: ClassVar[bool] = True
    run_ahead: ClassVar[float] = 1.0
    all_at_once: ClassVar[int] = 0

    @abstractmethod
    def decided(self, seen: Tally, left: int) -> bool:
        """Whether the vote is settled.

        Args:
            seen: the samples so far; ones without an answer are among them.
            left: samples that may still come.
        """

    @abstractmethod
    def need(self, seen: Tally, left: int) -> int:
        """How many further votes would settle it if all went to what leads; 0 to `left`."""
