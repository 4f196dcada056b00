"""Comparison: whether two formulas state the same."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import NamedTuple

from mpmath import mp

from scaffolding_core.answers.formulas.evaluation import Undefined, value_of
from scaffolding_core.answers.formulas.numbers import POINTS, Precision, Value, is_real, nearly_equal
from scaffolding_core.answers.formulas.statements import statement_in
from scaffolding_core.answers.formulas.tree import (
    CONSTANTS,
    Apply,
    Bag,
    Body,
    Group,
    Number,
    Relation,
    Statement,
    Symbol,
    Tree,
    Unreadable,
    symbols_of,
)

__all__ = ["same_formula"]

ENOUGH = 3
"""Points at which two expressions with variables must have values to be known to be the same."""


def same_formula(first: str, other: str) -> bool:
    """Whether two formulas are known to state the same; symmetric.

    Expressions are the same if their values are: exactly, where these are rational, else to as many digits as it
    takes to tell them apart by their sizes; with variables, at random points on either side of 0.
    """
    try:
        return _same_statement(_read(first), _read(other))
    except Unreadable:
        return False


def _read(text: str) -> Statement:
    statement = _remembered(text)
    if isinstance(statement, Unreadable):
        raise statement
    return statement


@functools.lru_cache(maxsize=4096)
def _remembered(text: str) -> Statement | Unreadable:
    try:
        statement = statement_in(text)
        return _settled(statement)
    except Unreadable as error:
        return error.with_traceback(None)


def _settled(statement: Statement) -> Statement:
    """A chain `x = 2 + 3 = 5` as `x = 5`, if it holds."""
    if not isinstance(statement.body, Group) or statement.body.kind != "equal":
        return statement
    trees = [item.body for item in statement.body.items if isinstance(item.body, Number | Symbol | Apply)]
    if not all(_same_values(tree, trees[-1]) for tree in trees[:-1]):
        raise Unreadable("it does not hold")
    return Statement(trees[-1], statement.name)


def _same_statement(first: Statement, other: Statement) -> bool:
    if first.relation and other.relation and _same_relation(first.relation, other.relation):
        return True
    if first.body is None or other.body is None:
        return False
    # What one leaves out, the other may say: `x = 5` and `5`.
    return (not first.name or not other.name or first.name == other.name) and _same_body(first.body, other.body)


def _same_body(first: Body, other: Body) -> bool:
    if isinstance(first, Bag) or isinstance(other, Bag):
        return _same_bags(first, other)
    if isinstance(first, Group) or isinstance(other, Group):
        return (
            isinstance(first, Group)
            and isinstance(other, Group)
            and first.kind == other.kind
            and len(first.items) == len(other.items)
            and all(map(_same_statement, first.items, other.items))
        )
    return _same_values(first, other)


def _same_bags(first: Body, other: Body) -> bool:
    """Whether they hold the same in any order; that a list is a set's or an alternative's is taken for granted."""
    if isinstance(first, Number | Symbol | Apply) or isinstance(other, Number | Symbol | Apply):
        return False
    if first.kind != other.kind and not {first.kind, other.kind} <= {"{}", "or", "list"}:
        return False
    left = list(other.items)
    for item in first.items:
        match = next((place for place, each in enumerate(left) if _same_statement(item, each)), None)
        if match is None:
            return False
        del left[match]
    return not left


def _same_relation(first: Relation, other: Relation) -> bool:
    """Whether one is the other times a number."""
    if first.sign != other.sign:
        return False
    both = _both(first.tree, other.tree)
    ratios: list[Value] = []
    with mp.workprec(both.bits):
        for value, its in both.values:
            if value is None or its is None or value == 0 or its == 0:
                if value != its:
                    return False
                continue
            exact = isinstance(value, Fraction) and isinstance(its, Fraction)
            ratios.append(value / its if exact else mp.convert(value) / mp.convert(its))
        alike = all(is_real(ratio) and nearly_equal(ratio, ratios[0], both.bits) for ratio in ratios)
    return alike and len(ratios) >= ENOUGH and (first.sign in ("=", "!=") or ratios[0] > 0)


def _same_values(first: Tree, other: Tree) -> bool:
    symbols = symbols_of(first) | symbols_of(other)
    everywhere = symbols <= CONSTANTS or "i" in symbols
    both = _both(first, other)
    equal = equal_inside = unequal_outside = 0
    with mp.workprec(both.bits):
        for value, its in both.values:
            if value is None or its is None:
                if value is not its:
                    return False
                continue
            # Where neither is real, expressions in real variables are not defined, and need not be equal.
            inside = everywhere or is_real(value) or is_real(its)
            if nearly_equal(value, its, both.bits):
                equal += 1
                equal_inside += inside
            elif inside:
                return False
            else:
                unequal_outside += 1
    enough = 1 if symbols <= CONSTANTS else ENOUGH
    return (equal_inside if unequal_outside else equal) >= enough


class _Both(NamedTuple):
    """The values of two trees at the same points, None where there is none, and the bits they are good for."""

    values: list[tuple[Value | None, Value | None]]
    bits: int


def _both(first: Tree, other: Tree) -> _Both:
    bits = max(_needed(first), _needed(other))
    for _ in range(2):
        values = [_values(tree, bits)[0] for tree in (first, other)]
        points = max(map(len, values))
        pairs = list(zip(*(each * points if len(each) == 1 else each for each in values), strict=True))
        exact = Precision()
        for pair in pairs:
            if not all(isinstance(value, Fraction) for value in pair):
                for value in pair:
                    exact.meet(value if isinstance(value, Fraction) else Fraction(0))
        if exact.needed <= bits:
            break
        bits = exact.needed
    return _Both(pairs, bits)


def _needed(tree: Tree) -> int:
    """Bits that it takes to tell the values of a tree from others."""
    bits = Precision().bits
    for _ in range(5):
        needed = _values(tree, bits)[1]
        if needed <= bits:
            return bits
        bits = needed
    raise Unreadable("too close")


@functools.lru_cache(maxsize=4096)
def _values(tree: Tree, bits: int) -> tuple[tuple[Value | None, ...], int]:
    """The values at each point, and the bits that it takes to be sure of them."""
    precision = Precision(bits)
    with mp.workprec(bits):
        values = tuple(_value(tree, point, precision) for point in range(1 if _constant(tree) else POINTS))
    return values, precision.needed


def _value(tree: Tree, point: int, precision: Precision) -> Value | None:
    try:
        return value_of(tree, point, precision)
    except Undefined:
        return None


def _constant(tree: Tree) -> bool:
    return symbols_of(tree) <= CONSTANTS
