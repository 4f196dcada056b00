"""BreadthFirst: level by level, the best states of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from scaffolding_core.search.tree_search import Node, TreeSearch, Trial, checked_least

__all__ = ["BreadthFirst"]


class BreadthFirst(TreeSearch):
    """Expands all states that were kept of a level at the same time, and keeps the best of what they lead to.

    A path that has ended competes with those of the next level, and is not expanded. Ties go to the first, in the
    order of their parents and then as told. A level from which nothing leads on is the last.

    Source: Yao et al. 2023, arXiv 2305.10601, algorithm 1.

    Args:
        keep: states that are kept of each level.
        max_depth: levels at most.

    Attributes:
        kept: the states of the present level, best first, by id.

    Raises:
        InvalidRequestError: a number below 1.
    """

    def __init__(self, *, keep: int = 5, max_depth: int = 4) -> None:
        super().__init__(max_depth=max_depth)
        self.keep = checked_least("keep", keep, 1)
        self.kept = [self.root]
        self._waiting = deque(self.kept)
        self._found: dict[int, list[int]] = {}

    @property
    def done(self) -> bool:
        """Whether the last level is there."""
        return not self.running and not self._waiting

    def _next(self) -> int | None:
        return self._waiting.popleft() if self._waiting else None

    def _grow(self, trial: Trial, parent: Node, children: Sequence[Node]) -> None:
        self._found[parent.id] = [child.id for child in children]
        if self.running or self._waiting:
            return
        if any(self._found.values()):
            level = [
                node for kept in self.kept for node in ([kept] if self._ended(kept) else self._found.get(kept, ()))
            ]
            self.kept = sorted(level, key=lambda node: -self.nodes[node].value)[: self.keep]
            self._waiting = deque(node for node in self.kept if not self._ended(node))
        self._found = {}

    def _take_back(self, node: Node) -> None:
        self._waiting.appendleft(node.id)

    def _ended(self, node: int) -> bool:
        return self.ends(self.nodes[node])
