"""Lats: Monte Carlo tree search for a model that evaluates itself, and learns from paths that failed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.search.mcts import Mcts
from scaffolding_core.search.tree_search import Thought

__all__ = ["Lats"]


class Lats(Mcts):
    """As `Mcts`; a value is λ of what the evaluation says, and 1 - λ of the share of samples that say the same.

    What was learned from paths that ended badly is kept, for whoever looks for further steps. The value of a
    thought that ends its path is taken as it is: it tells how the path ended.

    Source: Zhou et al. 2023, arXiv 2310.04406, with the value of a state in place of a simulation to the end.

    Args:
        self_evaluation: λ, 0 to 1.
        exploration: as for `Mcts`; 1 in the paper.
        max_depth: steps of a path at most.

    Attributes:
        lessons: what was learned, in order.

    Raises:
        InvalidRequestError: a number out of its range.
    """

    def __init__(self, *, self_evaluation: float = 0.5, exploration: float = 1.0, max_depth: int = 4) -> None:
        super().__init__(exploration=exploration, max_depth=max_depth)
        if isinstance(self_evaluation, bool) or not isinstance(self_evaluation, int | float):
            raise InvalidRequestError(f"self_evaluation must be a number from 0 to 1, got {self_evaluation!r}")
        if math.isnan(self_evaluation) or not 0 <= self_evaluation <= 1:
            raise InvalidRequestError(f"self_evaluation must be a number from 0 to 1, got {self_evaluation!r}")
        self.self_evaluation = self_evaluation
        self.lessons: list[str] = []

    def learn(self, lesson: str) -> None:
        """Keep what a failed path teaches, once."""
        if lesson and lesson not in self.lessons:
            self.lessons.append(lesson)

    def _value(self, thought: Thought, siblings: Sequence[Thought]) -> float:
        if thought.terminal:
            return thought.value
        agreed = thought.count / sum(each.count for each in siblings)
        return self.self_evaluation * thought.value + (1 - self.self_evaluation) * agreed
