"""Beam: the best partial answers of each step go on, several times each."""

from __future__ import annotations

from scaffolding_core.search.breadth_first import BreadthFirst
from scaffolding_core.search.step_search import StepSearch
from scaffolding_core.search.tree_search import Trial, checked_least

__all__ = ["Beam"]


class Beam(StepSearch, BreadthFirst):
    """Draws n steps at a time, keeps the best n / width of what they lead to, and goes on from each width times.

    An answer that has ended stays among those kept for as long as it is among the best, and its samples are saved.
    Where width does not divide n, the first of those kept are gone on with once more than the others.

    Source: Snell et al. 2024, arXiv 2408.03314, section 3.

    Args:
        n: steps drawn at a time.
        width: from one of those kept.
        max_depth: steps of an answer at most.

    Raises:
        InvalidRequestError: a number below 1.
    """

    def __init__(self, n: int = 8, width: int = 4, *, max_depth: int = 40) -> None:
        self.n = checked_least("n", n, 1)
        self.width = checked_least("width", width, 1)
        super().__init__(keep=max(1, n // width), max_depth=max_depth)

    def samples(self, trial: Trial) -> int:
        """How many next steps to draw in a trial that runs."""
        if trial.node == self.root:
            return self.n
        return share(self.n, self.keep, self.kept.index(trial.node))


def share(n: int, parts: int, place: int) -> int:
    """How many of n each of several parts gets; the first get the rest."""
    return n // parts + (place < n % parts)
