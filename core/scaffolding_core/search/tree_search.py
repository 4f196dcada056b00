"""TreeSearch: what all tree searches are."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from scaffolding_core.errors import InvalidRequestError

__all__ = ["ROOT", "Node", "Thought", "TreeSearch", "Trial"]

ROOT = 0
"""The node that every search begins with: no step yet."""


@dataclass(frozen=True, slots=True)
class Thought:
    """A next step that the expansion of a node found.

    Args:
        step: what it says.
        value: how promising it is; higher is better.
        terminal: it ends the path: nothing comes after it.
        count: how many samples said it.

    Raises:
        InvalidRequestError: a value that is no finite number.
    """

    step: str
    value: float
    terminal: bool = False
    count: int = 1

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise InvalidRequestError(f"the value of a thought must be a finite number, got {self.value!r}")


@dataclass(frozen=True, slots=True)
class Node:
    """A step of the tree, and with those above it a path.

    Attributes:
        id: of the node.
        parent: the id of the one above; None for the root.
        step: what it says; empty for the root.
        value: as it was told.
        terminal: it ends its path.
        depth: how many steps its path has.
        place: of each step of its path, how many siblings have a higher value, ties as told: the same in whatever
            order the searches' trials end.
    """

    id: int
    parent: int | None
    step: str
    value: float
    terminal: bool
    depth: int
    place: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """A node to expand.

    Attributes:
        id: of the trial, in the order asked.
        node: the id of the node.
    """

    id: int
    node: int


class TreeSearch(ABC):
    """Which nodes of a tree are expanded, and in which order; base of the searches.

    Every search is deterministic: the same asks and tells lead to the same trials.

    Args:
        max_depth: steps of a path at most.

    Attributes:
        nodes: all of the tree, by id, each behind its parent.
        root: the id of the first of them.
        running: trials that were asked for and not told, by id.
        taken: the steps down to the root, where it was one further down once.

    Raises:
        InvalidRequestError: a depth below 1.
    """

    def __init__(self, *, max_depth: int = 4) -> None:
        self.max_depth = checked_least("max_depth", max_depth, 1)
        self.root = ROOT
        self.nodes = {ROOT: Node(ROOT, None, "", 0.0, False, 0, ())}
        self.running: dict[int, Trial] = {}
        self.taken: list[str] = []
        self._asked = 0
        self._made = ROOT

    def ask(self, n: int = 1) -> list[Trial]:
        """Up to n nodes to expand at the same time; fewer where others have to be told first."""
        trials: list[Trial] = []
        while len(trials) < n and (node := self._next()) is not None:
            trial = Trial(self._asked, node)
            self._asked += 1
            self.running[trial.id] = trial
            trials.append(trial)
        return trials

    def tell(self, trial: Trial, thoughts: Sequence[Thought] = ()) -> list[Node]:
        """What the expansion of a node found; nothing where it failed, or where there is no next step.

        Returns:
            The new nodes, in the order of the thoughts; none where the trial was told before.
        """
        if self.running.pop(trial.id, None) is None:
            return []
        parent = self.nodes[trial.node]
        values = [self._value(thought, thoughts) for thought in thoughts]
        ranked = sorted(range(len(values)), key=lambda index: -values[index])
        children = []
        for index, (thought, value) in enumerate(zip(thoughts, values, strict=True)):
            self._made += 1
            place = (*parent.place, ranked.index(index))
            node = Node(self._made, parent.id, thought.step, value, thought.terminal, parent.depth + 1, place)
            self.nodes[node.id] = node
            children.append(node)
        self._grow(trial, parent, children)
        return children

    def give_back(self, trial: Trial) -> None:
        """A trial that was not carried out: its node may be asked for again."""
        if self.running.pop(trial.id, None) is not None:
            self._take_back(self.nodes[trial.node])

    def best(self) -> Node | None:
        """The node with the highest value of those that end a path, else of those at the last depth, else of all.

        Ties go to the deepest, then to the first in the tree; None where there is none but the root.
        """
        found = [node for node in self.nodes.values() if node.id != self.root]
        return min(found, key=self._rank, default=None)

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether nothing is left to expand, and nothing is running."""

    def path(self, node: int) -> list[str]:
        """The steps from the first to a node's own."""
        steps = [self.nodes[each].step for each in self.line(node) if each != self.root]
        return [*self.taken, *reversed(steps)]

    def line(self, node: int) -> Iterator[int]:
        """A node and all above it, as far as the search knows them."""
        at: int | None = node
        while at in self.nodes:
            yield at
            at = self.nodes[at].parent

    def copy(self) -> Self:
        """A search of its own in the same state."""
        return copy.deepcopy(self)

    def resumed(self) -> Self:
        """A copy in which whatever was running may be asked for again."""
        new = self.copy()
        for trial in reversed([*new.running.values()]):
            new.give_back(trial)
        return new

    def __repr__(self) -> str:
        best = self.best()
        value = "" if best is None else f", best {best.value:.3g}"
        return f"{type(self).__name__}({len(self.nodes)} nodes{value})"

    def ends(self, node: Node) -> bool:
        """Whether nothing can come after a node."""
        return node.terminal or node.depth >= self.nodes[self.root].depth + self.max_depth

    @abstractmethod
    def _next(self) -> int | None:
        """The id of the next node to expand, which is not asked for again; None where there is none now."""

    @abstractmethod
    def _grow(self, trial: Trial, parent: Node, children: Sequence[Node]) -> None:
        """Take in what an expansion found."""

    @abstractmethod
    def _take_back(self, node: Node) -> None:
        """Let a node that is being expanded be asked for again."""

    def _value(self, thought: Thought, siblings: Sequence[Thought]) -> float:
        """The value that a node gets."""
        return thought.value

    def _rank(self, node: Node) -> tuple[bool, bool, float, int, tuple[int, ...]]:
        return not node.terminal, not self.ends(node), -node.value, -node.depth, node.place


def checked_least(name: str, value: object, least: int) -> int:
    """A whole number of at least so much.

    Raises:
        InvalidRequestError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidRequestError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return value
