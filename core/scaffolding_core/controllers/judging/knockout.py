"""Knockout: who meets whom until one is left, and the ranks of all, as arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Knockout"]

_CHANCES = 2


class _Loss(NamedTuple):
    rounds_before: int
    preference: float
    player: int


class Knockout:
    """Players meet in pairs, round by round; who has no partner goes on.

    After a comparison that failed both go on, to meet others. A player two of whose comparisons failed is out: it
    must not win because nobody can tell it from others.

    Args:
        players: how many.

    Attributes:
        left: those that may still win.
    """

    def __init__(self, players: int) -> None:
        self.left = list(range(players))
        self._rounds = 0
        self._lost: list[_Loss] = []
        self._failures = Counter[int]()

    def pairs(self) -> list[tuple[int, int]]:
        """Who meets in this round; nobody once one is left, or none."""
        return list(zip(self.left[::2], self.left[1::2], strict=False))

    def end_round(self, preferences: Sequence[float | None]) -> None:
        """End a round.

        Args:
            preferences: of each pair, 0 to 1, for its first; at 0.5 the earlier player goes on. None where the
                comparison failed.
        """
        gone, last = set[int](), set[int]()
        for (first, second), preference in zip(self.pairs(), preferences, strict=True):
            if preference is None:
                self._failures.update((first, second))
                gone |= {each for each in (first, second) if self._failures[each] == _CHANCES}
                last.add(second)  # so that another stands beside the first
                continue
            loser = max(first, second) if preference == 0.5 else second if preference > 0.5 else first
            self._lost.append(_Loss(self._rounds, min(preference, 1 - preference), loser))
            gone.add(loser)
        left = [player for player in self.left if player not in gone]
        self.left = sorted(left, key=last.__contains__)
        self._rounds += 1

    def scores(self) -> dict[int, float]:
        """Each player's score by its rank: 1 for the winner, 0 for the last.

        Who lost later ranks higher; in the same round, who was preferred more; then the earlier. Those that are
        out rank last.
        """
        lost = sorted(self._lost, key=lambda loss: (-loss.rounds_before, -loss.preference, loss.player))
        ranked = [*self.left, *(loss.player for loss in lost)]
        ranked += sorted(player for player in self._failures if player not in ranked)
        return {player: 1 - rank / max(1, len(ranked) - 1) for rank, player in enumerate(ranked)}
