"""First: the first samples that have an answer decide, however many run."""

from __future__ import annotations

from scaffolding_core.voting.tally import REFUSED

__all__ = ["First"]


class First:
    """Counts samples as they end, until enough of them have an answer or decline.

    Args:
        enough: so many.
        n: samples at most; all run at once.

    Attributes:
        ahead: how many samples may run and not be counted yet.
    """

    def __init__(self, enough: int, n: int) -> None:
        self.ahead = n
        self._enough = enough
        self._choices: dict[int, int | None] = {}

    @property
    def decided(self) -> bool:
        """Whether the rest is not needed."""
        return sum(choice is not None for choice in self._choices.values()) >= self._enough

    def see(self, index: int, choice: int | None) -> None:
        """Count a sample that ended; one that failed, or has no answer, has no choice."""
        self._choices[index] = choice

    def refuse(self, index: int) -> None:
        """Count a sample that declines to answer."""
        self.see(index, REFUSED)

    def count_all(self) -> None:
        """All that are there count anyway."""

    def votes(self) -> dict[int, int | None]:
        """The choice of each sample that counts, by index."""
        return dict(self._choices)
