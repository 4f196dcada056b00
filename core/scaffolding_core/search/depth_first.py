"""DepthFirst: the most promising step goes on until its path ends, then the next best."""

from __future__ import annotations

import math

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.search.frontier import Frontier, Order
from scaffolding_core.search.tree_search import Node

__all__ = ["DepthFirst"]


class DepthFirst(Frontier):
    """Follows the best step of each node to the end of its path, and goes back from there to the next best.

    Asked for several nodes at the same time, it gives those that would follow if the first led nowhere.

    Source: Yao et al. 2023, arXiv 2305.10601, algorithm 2.

    Args:
        threshold: a node whose value is not above it is not expanded; None expands all.
        max_depth: steps of a path at most.

    Raises:
        InvalidRequestError: a depth below 1, or a threshold that is no number.
    """

    def __init__(self, *, threshold: float | None = None, max_depth: int = 4) -> None:
        if isinstance(threshold, bool) or not isinstance(threshold, int | float | None):
            raise InvalidRequestError(f"threshold must be a number, got {threshold!r}")
        if threshold is not None and math.isnan(threshold):
            raise InvalidRequestError("threshold must be a number, got nan")
        super().__init__(max_depth=max_depth)
        self.threshold = threshold

    def _order(self, node: Node) -> Order:
        return 0.0, 0, node.place

    def _promising(self, node: Node) -> bool:
        return self.threshold is None or node.value > self.threshold
