"""Frontier: a search that always expands the first of all open nodes."""

from __future__ import annotations

import heapq
from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

from scaffolding_core.search.tree_search import Node, TreeSearch, Trial

__all__ = ["Frontier", "Order"]

Order: TypeAlias = tuple[float, int, tuple[int, ...]]


class Frontier(TreeSearch):
    """Expands the first of all open nodes, in an order that a kind of it gives."""

    def __init__(self, *, max_depth: int = 4) -> None:
        super().__init__(max_depth=max_depth)
        self._open: list[tuple[Order, int]] = [(self._order(self.nodes[self.root]), self.root)]

    @property
    def done(self) -> bool:
        """Whether the tree is whole."""
        return not self.running and not self._open

    @abstractmethod
    def _order(self, node: Node) -> Order:
        """The lowest comes first."""

    def _promising(self, node: Node) -> bool:
        """Whether a node is worth an expansion."""
        return True

    def _next(self) -> int | None:
        return heapq.heappop(self._open)[1] if self._open else None

    def _grow(self, trial: Trial, parent: Node, children: Sequence[Node]) -> None:
        for child in children:
            if not self.ends(child) and self._promising(child):
                self._take_back(child)

    def _take_back(self, node: Node) -> None:
        heapq.heappush(self._open, (self._order(node), node.id))
