"""Dvts: several beams of one, apart from each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from scaffolding_core.search.beam import share
from scaffolding_core.search.step_search import StepSearch
from scaffolding_core.search.tree_search import Node, Thought, Trial, checked_least

__all__ = ["Dvts"]


class Dvts(StepSearch):
    """Diverse verifier tree search: n / width subtrees, in each of which the best of width next steps goes on.

    No subtree waits for another, and none takes another's place, so the answers differ more than a beam's. The
    first number of a node's `place` is its subtree. Where width does not divide n, the first draw one more.

    Source: Beeching et al. 2024, "Scaling test-time compute with open models" (Hugging Face).

    Args:
        n: steps drawn at a time, in all subtrees.
        width: in one of them.
        max_depth: steps of an answer at most.

    Raises:
        InvalidRequestError: a number below 1.
    """

    def __init__(self, n: int = 8, width: int = 4, *, max_depth: int = 40) -> None:
        super().__init__(max_depth=max_depth)
        self.n = checked_least("n", n, 1)
        self.width = checked_least("width", width, 1)
        self.subtrees = max(1, n // width)
        self._open = deque((subtree, self.root) for subtree in range(self.subtrees))
        self._subtree: dict[int, int] = {}  # of running trials

    @property
    def done(self) -> bool:
        """Whether all subtrees have ended."""
        return not self.running and not self._open

    def samples(self, trial: Trial) -> int:
        """How many next steps to draw in a trial that runs."""
        return share(self.n, self.subtrees, self._subtree[trial.id])

    def tell(self, trial: Trial, thoughts: Sequence[Thought] = ()) -> list[Node]:
        """What a trial found; a subtree in which nothing was found has ended."""
        children = super().tell(trial, thoughts)
        subtree = self._subtree.pop(trial.id, 0)
        if not children:
            return []
        if trial.node == self.root:
            children = [replace(child, place=(subtree, *child.place)) for child in children]
            self.nodes |= {child.id: child for child in children}
        best = max(children, key=lambda child: child.value)
        if not self.ends(best):
            self._open.append((subtree, best.id))
        return children

    def _next(self) -> int | None:
        if not self._open:
            return None
        self._subtree[self._asked], node = self._open.popleft()
        return node

    def _grow(self, trial: Trial, parent: Node, children: Sequence[Node]) -> None:
        """A subtree goes on once its nodes have their places."""

    def _take_back(self, node: Node) -> None:
        trial = next(each for each in self._subtree if each not in self.running)
        self._open.appendleft((self._subtree.pop(trial), node.id))
