"""Pivots: who meets whom in a pivot tournament, and the mean preference of all, as arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Pivots", "comparisons"]


class Pivots:
    """First each player meets its two neighbours in a ring; then the best of them, the pivots, meet all.

    A player stands first against one neighbour and second against the other, so a bias for a place cancels. Two
    that have met in the ring meet the other way round; of all others, each stands first and second by turns. Two
    players meet in the ring alone, once each way round.

    Args:
        ring: the players, by number, in the order of the ring.
        count: of pivots.
    """

    def __init__(self, ring: Sequence[int], count: int) -> None:
        self._ring = list(ring)
        self._count = min(count, len(self._ring))
        self._won: dict[int, list[float]] = {player: [] for player in sorted(self._ring)}

    def ring(self) -> list[tuple[int, int]]:
        """Who meets in the ring, as first and second."""
        if len(self._ring) < 2:
            return []
        return list(zip(self._ring, self._ring[1:] + self._ring[:1], strict=True))

    def rest(self) -> list[tuple[int, int]]:
        """Who meets after the ring: each pivot with all others."""
        if len(self._ring) < 3:
            return []
        pivots = self._best()[: self._count]
        others = [player for player in self._won if player not in pivots]
        pairs = [
            (pivot, other) if (row + column) % 2 else (other, pivot)
            for row, other in enumerate(others)
            for column, pivot in enumerate(pivots)
        ]
        pairs += [(first, second) for place, first in enumerate(pivots) for second in pivots[place + 1 :]]
        met = set(self.ring())
        return [pair[::-1] if pair in met else pair for pair in pairs]

    def tell(self, first: int, second: int, preference: float) -> None:
        """Take how much the first of two is preferred, 0 to 1."""
        self._won[first].append(preference)
        self._won[second].append(1 - preference)

    def means(self) -> dict[int, float]:
        """The mean preference of each player that was compared."""
        return {player: sum(won) / len(won) for player, won in self._won.items() if won}

    def _best(self) -> list[int]:
        """All players: the highest mean preference first, the lowest number of equals; the unknown ones last."""
        means = self.means()
        return sorted(self._won, key=lambda player: (-means.get(player, -1.0), player))


def comparisons(players: int, pivots: int) -> int:
    """How many comparisons a tournament takes."""
    if players < 3:
        return 2 if players == 2 else 0
    k = min(pivots, players)
    return players + k * (players - k) + k * (k - 1) // 2
