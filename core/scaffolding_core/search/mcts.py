"""Mcts: Monte Carlo tree search, by upper confidence bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.search.tree_search import Node, TreeSearch, Trial

__all__ = ["Mcts"]


class Mcts(TreeSearch):
    """Expands where the mean value is high, or little was tried: Q/n + c·√(ln N / n) from the root to a leaf.

    A node's value is a visit of itself and of all nodes above it, in place of a rollout to the end; so is that of
    a node that ends its path, which is visited once, as nothing new can come of it. A trial that runs counts as a
    visit of the lowest value (virtual loss), so that trials asked for at the same time spread over the tree; no
    node is expanded twice, and every value that is told counts, in whatever order. Values are taken for 0 to 1;
    where some lie outside, all are scaled to the span that was seen.

    Source: Kocsis and Szepesvári 2006 (UCT); Chaslot et al. 2008 (virtual loss).

    Args:
        exploration: c.
        max_depth: steps of a path at most, from the root.

    Attributes:
        visits: n of each node, by id.
        totals: Q of each node: the sum of the values in and below it.
        pending: trials that run in or below each node.

    Raises:
        InvalidRequestError: a depth below 1, or an exploration that is no finite number of at least 0.
    """

    def __init__(self, *, exploration: float = math.sqrt(2), max_depth: int = 4) -> None:
        super().__init__(max_depth=max_depth)
        if (
            isinstance(exploration, bool)
            or not isinstance(exploration, int | float)
            or not 0 <= exploration < math.inf
        ):
            raise InvalidRequestError(f"exploration must be a finite number of at least 0, got {exploration!r}")
        self.exploration = exploration
        self.visits = {self.root: 0}
        self.totals = {self.root: 0.0}
        self.pending = {self.root: 0}
        self._children: dict[int, list[int]] = {}
        self._leaves = {self.root: 1}  # in and below each node, those that may be asked for
        self._lowest, self._highest = 0.0, 1.0

    @property
    def done(self) -> bool:
        """Whether the tree is whole."""
        return not self.running and not self._leaves[self.root]

    def mean(self, node: int) -> float:
        """The mean of the values in and below a node; 0 where there is none."""
        return self.totals[node] / max(1, self.visits[node])

    def rerooted(self, node: int) -> Self:
        """A copy that goes on from a node, with all that is known below it; trials elsewhere are forgotten.

        Raises:
            InvalidRequestError: no such node.
        """
        if node not in self.nodes:
            raise InvalidRequestError(f"the tree has no node {node!r}")
        new = self.copy()
        below = {each for each in new.nodes if node in new.line(each)}
        new.root, new.taken = node, self.path(node)
        new.nodes = {each: known for each, known in new.nodes.items() if each in below}
        new.running = {index: trial for index, trial in new.running.items() if trial.node in below}
        new._children = {each: found for each, found in new._children.items() if each in below}
        for counts in (new.visits, new.totals, new.pending, new._leaves):
            for each in counts.keys() - below:
                del counts[each]
        new._open_deeper()
        return new

    def score(self, node: int) -> float:
        """Its upper confidence bound among its siblings, trials that run counted as visits of the lowest value."""
        parent = self.nodes[node].parent
        assert parent is not None
        tried = self.visits[node] + self.pending[node]
        mean = (self.totals[node] - self._lowest * self.visits[node]) / (self._highest - self._lowest) / tried
        around = self.visits[parent] + self.pending[parent]
        return mean + self.exploration * math.sqrt(math.log(around) / tried)

    def _next(self) -> int | None:
        if not self._leaves[self.root]:
            return None
        node = self.root
        while node in self._children:
            node = max((each for each in self._children[node] if self._leaves[each]), key=self.score)
        self._count(node, pending=1, leaves=-1)
        return node

    def _grow(self, trial: Trial, parent: Node, children: Sequence[Node]) -> None:
        self._count(parent.id, pending=-1)
        self._children[parent.id] = [child.id for child in children]
        for child in children:
            self.visits[child.id] = self.pending[child.id] = self._leaves[child.id] = 0
            self.totals[child.id] = 0.0
            self._lowest, self._highest = min(self._lowest, child.value), max(self._highest, child.value)
            self._count(child.id, visits=1, total=child.value, leaves=int(not self.ends(child)))

    def _take_back(self, node: Node) -> None:
        self._count(node.id, pending=-1, leaves=1)

    def _count(self, node: int, *, visits: int = 0, total: float = 0.0, pending: int = 0, leaves: int = 0) -> None:
        """Count in a node and in all above it."""
        for each in self.line(node):
            self.visits[each] += visits
            self.totals[each] += total
            self.pending[each] += pending
            self._leaves[each] += leaves

    def _open_deeper(self) -> None:
        """Let those be expanded that were too deep below the root of before."""
        expanded = self._children.keys() | {trial.node for trial in self.running.values()}
        for node in self.nodes.values():
            if node.id not in expanded and not self._leaves[node.id] and not self.ends(node):
                self._count(node.id, leaves=1)
