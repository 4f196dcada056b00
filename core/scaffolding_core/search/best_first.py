"""BestFirst: the most promising node of the whole tree comes next."""

from __future__ import annotations

from scaffolding_core.search.frontier import Frontier, Order
from scaffolding_core.search.tree_search import Node

__all__ = ["BestFirst"]


class BestFirst(Frontier):
    """Expands the open node with the highest value, wherever it stands; of equals the deepest, then the first.

    Args:
        max_depth: steps of a path at most.

    Raises:
        InvalidRequestError: a depth below 1.
    """

    def _order(self, node: Node) -> Order:
        return -node.value, -node.depth, node.place
