"""Trees: what a formula says, before anything is computed."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, TypeAlias

__all__ = [
    "CONSTANTS",
    "INFINITY",
    "Apply",
    "Bag",
    "Body",
    "Group",
    "Number",
    "Relation",
    "Statement",
    "Symbol",
    "Tree",
    "Unreadable",
    "symbols_of",
]


class Unreadable(Exception):  # no error: most texts are none
    """A text is no formula, or one that is not known, not certain, or too large to compute."""


class Number(NamedTuple):
    """An exact number."""

    value: Fraction


class Symbol(NamedTuple):
    """A variable, or a constant such as `pi`."""

    name: str


class Apply(NamedTuple):
    """An operation or a function, such as `+`, `^` or `sin`, of its arguments."""

    name: str
    of: tuple[Tree, ...]


Tree: TypeAlias = Number | Symbol | Apply

INFINITY = Symbol("infinity")


class Group(NamedTuple):
    """Statements whose order counts: a point, an interval, a list, a matrix.

    Attributes:
        kind: its brackets, such as `()` or `[)`, or `list`, or `matrix` with its number of columns.
    """

    kind: str
    items: tuple[Statement, ...]


class Bag(NamedTuple):
    """Statements whose order does not count: a set `{}`, `or`, a `union`, a `system`."""

    kind: str
    items: tuple[Statement, ...]


Body: TypeAlias = Tree | Group | Bag


class Relation(NamedTuple):
    """A tree that is `=`, `!=`, `>` or `>=` zero."""

    sign: str
    tree: Tree


class Statement(NamedTuple):
    """What a formula states.

    Attributes:
        body: the value; None for a relation that gives none.
        name: of what has that value, as in `x = 5`; empty for none.
        relation: the same as a relation, where it is one.
    """

    body: Body | None
    name: str = ""
    relation: Relation | None = None


CONSTANTS = frozenset({"pi", "e", "i", "infinity"})
"""Symbols that are no variables."""


def symbols_of(tree: Tree) -> frozenset[str]:
    """The names of the symbols and unknown functions in a tree, constants included."""
    if isinstance(tree, Symbol):
        return frozenset({tree.name})
    if isinstance(tree, Apply):
        inner = frozenset().union(*map(symbols_of, tree.of))
        return inner | {tree.name} if tree.name.startswith("of ") else inner
    return frozenset()
