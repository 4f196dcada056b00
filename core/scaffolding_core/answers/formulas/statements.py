"""Statements: from the text of a formula to what it states."""

from __future__ import annotations

from collections.abc import Sequence

from scaffolding_core.answers.formulas.expressions import Expressions
from scaffolding_core.answers.formulas.tokens import tokens_of
from scaffolding_core.answers.formulas.tree import (
    CONSTANTS,
    INFINITY,
    Apply,
    Bag,
    Body,
    Group,
    Relation,
    Statement,
    Symbol,
    Tree,
    Unreadable,
    symbols_of,
)

__all__ = ["statement_in"]

_RELATIONS = {
    "=": "=", "==": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", "lt": "<", "gt": ">", "le": "<=",
    "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "ne": "!=", "neq": "!=", "in": "in",
}  # fmt: skip
_SEPARATORS = (",", ";", "and", "or")
_SETS = {"cup": "union", "cap": "intersection", "setminus": "without", "backslash": "without"}
_ORDERED = frozenset({"without"})
_CLOSED_BY = {"(": (")", "]"), "[": ("]", ")"), r"\{": (r"\}",), "langle": ("rangle",)}
_CLOSING = frozenset({")", "]", r"\}", "rangle"})


def statement_in(text: str) -> Statement:
    """What a formula states.

    Raises:
        Unreadable: it is none, or one that cannot be read for certain.
    """
    try:
        reader = _Statements(tokens_of(text))
        statement = reader.statements()
    except (RecursionError, ZeroDivisionError) as error:
        raise Unreadable(text) from error
    if reader.next.kind != "over":
        raise Unreadable(reader.next.text)
    return statement


class _Statements(Expressions):
    def statements(self) -> Statement:
        """One, or several with separators between them."""
        found, either = self._listed_statements()
        if len(found) == 1:
            return found[0]
        if either or _same_name(found):
            return _either(found)
        if all(statement.name or statement.body is None for statement in found):
            return Statement(Bag("system", tuple(found)))
        return Statement(Group("list", tuple(found)))

    def _listed_statements(self) -> tuple[list[Statement], bool]:
        """The statements, and whether it is one or the other of them."""
        found, either = self._either_sign()
        while self.at(*_SEPARATORS):
            while self.at(*_SEPARATORS):
                either = either or self.at("or")
                self.place += 1
            more, signs = self._either_sign()
            found += more
            either = either or signs
        return found, either

    def _either_sign(self) -> tuple[list[Statement], bool]:
        """A statement; two of them if a `\\pm` is in it."""
        start, self.both = self.place, False
        first = self._statement()
        if not self.both:
            return [first], False
        self.place, self.plus_minus = start, -1
        second = self._statement()
        self.plus_minus, self.both = 1, False
        return [first, second], True

    def _statement(self) -> Statement:
        """Values with relations between them."""
        parts, signs = [self._value()], []
        while self.next.kind in ("sign", "command") and (sign := _RELATIONS.get(self.next.text)):
            self.place += 1
            signs.append(sign)
            parts.append(self._value())
        if not signs:
            return Statement(parts[0])
        if set(signs) == {"="}:
            return _equation(parts)
        if signs == ["in"]:
            return _membership(*parts)
        return _inequality([_tree(part) for part in parts], signs)

    def _value(self) -> Body:
        """A single value, or sets with signs between them."""
        body = self._atom()
        while self.next.text in _SETS:
            kind = _SETS[self.next.text]
            self.place += 1
            items: tuple[Statement, ...] = (Statement(body), Statement(self._atom()))
            if isinstance(body, Bag) and body.kind == kind:
                items = (*body.items, items[1])
            body = Group(kind, items) if kind in _ORDERED else Bag(kind, items)
        return body

    def _atom(self) -> Body:
        if self.take("emptyset", "varnothing"):
            return Bag("{}", ())
        if self._at_collection():
            return self._collection()
        if self.next.kind == "begin":
            return self._matrix(None)
        tree = self.sum()
        return self._matrix(tree) if self.next.kind == "begin" else tree

    def _at_collection(self) -> bool:
        """Whether a bracket opens here that does not merely hold an expression together."""
        opening = self.next.text
        if opening not in _CLOSED_BY:
            return False
        depth = separated = 0
        for place in range(self.place, len(self.tokens)):
            text = self.tokens[place].text
            depth += (text in _CLOSED_BY) - (text in _CLOSING)
            separated += depth == 1 and text in _SEPARATORS
            if not depth:
                alone = opening == "[" and not self._goes_on(place + 1)
                return opening in (r"\{", "langle") or bool(separated) or text != _CLOSED_BY[opening][0] or alone
        raise Unreadable(opening)

    def _goes_on(self, place: int) -> bool:
        """Whether more of an expression is there, so that the brackets before it belong to it."""
        before, self.place = self.place, place
        goes_on = self._at_factor() or self.at("+", "-", "*", "/", "^", "!", "cdot", "times", "div")
        self.place = before
        return goes_on

    def _collection(self) -> Body:
        """A set, a point, an interval or a list."""
        opening, both = self.next.text, self.both
        self.place += 1
        items, either = ([], False) if self.at(r"\}") else self._listed_statements()
        closing = self.next.text
        if closing not in _CLOSED_BY[opening] or (either and opening != r"\{"):
            raise Unreadable(closing)
        self.place += 1
        self.both = both
        if opening == r"\{":
            return Bag("{}", tuple(items))
        if len(items) == 1 and isinstance(items[0].body, Group) and items[0].body.kind.startswith("matrix"):
            return items[0].body
        return Group(opening + closing, tuple(items))

    def _matrix(self, factor: Tree | None) -> Group:
        self.place += 1
        cells: list[Tree] = []
        rows, columns = [0], 0
        while self.next.kind != "end":
            if self.take("\\\\"):
                rows.append(0)
            elif not self.take("&"):
                cells.append(self.sum())
                rows[-1] += 1
            if self.next.kind == "over":
                raise Unreadable("matrix")
        self.place += 1
        if not rows[-1]:
            rows.pop()
        columns = rows[0] if rows else 0
        if not columns or set(rows) != {columns}:
            raise Unreadable("matrix")
        scaled = cells if factor is None else [Apply("*", (factor, cell)) for cell in cells]
        return Group(f"matrix {columns}", tuple(Statement(cell) for cell in scaled))


def _tree(body: Body) -> Tree:
    if isinstance(body, Group | Bag):
        raise Unreadable("no single value")
    return body


def _same_name(found: Sequence[Statement]) -> bool:
    """Whether each says what the same name may be, as in `x = 1, x = 2`."""
    names = {statement.name for statement in found}
    return len(names) == 1 and "" not in names and not any(isinstance(each.body, Group) for each in found)


def _either(found: Sequence[Statement]) -> Statement:
    names = {statement.name for statement in found}
    if len(names) > 1 or any(statement.body is None for statement in found):
        return Statement(Bag("or", tuple(found)))
    intervals = all(isinstance(statement.body, Group) for statement in found)
    bodies = tuple(Statement(statement.body) for statement in found)
    return Statement(Bag("union" if intervals else "or", bodies), names.pop())


def _name_of(body: Body) -> str:
    """The name of what can be given a value: a symbol, a function of symbols, a point of symbols; else empty."""
    if isinstance(body, Symbol):
        return "" if body.name in CONSTANTS else body.name
    if isinstance(body, Apply) and body.name.startswith("of "):
        names = [_name_of(argument) for argument in body.of]
        return f"{body.name}({','.join(names)})" if all(names) else ""
    if isinstance(body, Group) and body.kind == "()":
        names = [_name_of(item.body) if item.body is not None else "" for item in body.items]
        return f"({','.join(names)})" if all(names) else ""
    return ""


def _equation(parts: list[Body]) -> Statement:
    trees = [part for part in parts if not isinstance(part, Group | Bag)]
    if len(trees) == len(parts) and (len(parts) > 2 or not any(map(_variables, trees))):
        equal = trees[1:] if _name_of(trees[0]) else trees  # whether they are takes computing
        return Statement(Group("equal", tuple(map(Statement, equal))), _name_of(trees[0]))
    if len(parts) > 2:
        raise Unreadable("equal lists")
    left, right = parts
    name, value = _name_of(left), right
    if not name and _name_of(right):
        name, value = _name_of(right), left
    relation = Relation("=", _minus(*trees)) if len(trees) == 2 else None
    if relation is None and not name:
        raise Unreadable("an equation of lists")
    if relation is not None and (not name or _name_of(value)):  # `x = y` says nothing of either alone
        return Statement(None, "", relation)
    return Statement(value, name, relation)


def _membership(left: Body, right: Body) -> Statement:
    name = _name_of(left)
    if not name:
        raise Unreadable("in")
    return Statement(right, name)


def _inequality(parts: list[Tree], signs: list[str]) -> Statement:
    if any(sign in ("=", "in") for sign in signs):
        raise Unreadable("0 < x = 5")
    if len({sign.strip("=") for sign in signs}) > 1:
        raise Unreadable("0 < x > 5")
    if signs[0] in (">", ">="):
        parts, signs = parts[::-1], [sign.replace(">", "<") for sign in signs[::-1]]
    relations = [
        Relation("!=", _minus(low, high)) if sign == "!=" else Relation(sign.replace("<", ">"), _minus(high, low))
        for low, high, sign in zip(parts, parts[1:], signs, strict=False)
    ]
    name, interval = _interval(parts, signs)
    if len(relations) == 1:
        return Statement(interval, name, relations[0])
    if interval is not None:
        return Statement(interval, name)
    return Statement(Bag("system", tuple(Statement(None, "", relation) for relation in relations)))


def _interval(parts: list[Tree], signs: list[str]) -> tuple[str, Group | None]:
    """The name in an inequality and the interval that it may be in, if it says no more than that."""
    if "!=" in signs or len(parts) > 3:
        return "", None
    ends = _ends(parts)
    if ends is None:
        return "", None
    name, low, high = ends
    if _variables(low) or _variables(high):
        return "", None
    opening = "[" if low != _BELOW and signs[0] == "<=" else "("
    closing = "]" if high != INFINITY and signs[-1] == "<=" else ")"
    return name, Group(opening + closing, (Statement(low), Statement(high)))


def _ends(parts: list[Tree]) -> tuple[str, Tree, Tree] | None:
    if len(parts) == 3:
        low, middle, high = parts
        return (_name_of(middle), low, high) if _name_of(middle) else None
    left, right = parts
    if _name_of(left):
        return _name_of(left), _BELOW, right
    return (_name_of(right), left, INFINITY) if _name_of(right) else None


_BELOW = Apply("-", (INFINITY,))


def _variables(tree: Tree) -> frozenset[str]:
    return symbols_of(tree) - CONSTANTS


def _minus(left: Tree, right: Tree) -> Tree:
    return Apply("+", (left, Apply("-", (right,))))
