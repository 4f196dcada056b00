"""Evaluation: the value of a tree at a point, in bounded time whatever it holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from mpmath import mp

from scaffolding_core.answers.formulas.functions import LONE
from scaffolding_core.answers.formulas.numbers import (
    LARGEST,
    Precision,
    Value,
    coordinate,
    invented,
    is_real,
    root_of,
)
from scaffolding_core.answers.formulas.tree import CONSTANTS, Apply, Number, Symbol, Tree, Unreadable, symbols_of

__all__ = ["Undefined", "value_of"]

_LARGEST_FACTORIAL = 3_000
_SLOW = 2_048
"""Bits above which the gamma function takes its time."""

_RECIPROCALS = {"cot": "tan", "sec": "cos", "csc": "sin"}
_DIRECT: dict[str, Callable[[Value], Value]] = {
    name: getattr(mp, name.replace("arc", "a")) for name in LONE - _RECIPROCALS.keys() - {"ln", "log", "exp"}
}
_LOG_BASE = Fraction(7919, 1013)
"""What stands for the base of a `log` that does not say its own: it may be 10, e or 2."""


class Undefined(Exception):  # no error: an expression need not have a value everywhere
    """There is no value at this point, such as 1/0."""


def value_of(tree: Tree, point: int, precision: Precision) -> Value:
    """The value of a tree where its variables have the coordinates of a point.

    Raises:
        Undefined: it has none there.
        Unreadable: it is too large to compute, or not known how.
    """
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Symbol):
        return _symbol(tree.name, point)
    if tree.name == "^":
        return _power(tree, point, precision)
    values = [value_of(part, point, precision) for part in tree.of]
    if tree.name.startswith("of "):
        return invented(tree.name, *values)
    try:
        return _applied(tree.name, values, precision)
    except (ZeroDivisionError, ValueError) as error:  # mpmath's for a pole
        raise Undefined(tree.name) from error


def _symbol(name: str, point: int) -> Value:
    match name:
        case "pi":
            return +mp.pi
        case "e":
            return +mp.e
        case "i":
            return mp.mpc(0, 1)
        case "infinity":
            return invented(name)  # only ever compared with itself
    return coordinate(name, point)


def _applied(name: str, values: list[Value], precision: Precision) -> Value:
    first = values[0]
    match name:
        case "+":
            return _sum(values, precision)
        case "-":
            return -first
        case "*":
            return _product(values, precision)
        case "/":
            return _quotient(first, values[1], precision)
        case "root":
            return _root(first, values[1], precision)
        case "factorial":
            return _factorial(first, precision)
        case "binom":
            return _binomial(first, values[1], precision)
        case "abs":
            return abs(first)
        case "degrees":
            return _product([first, +mp.pi, Fraction(1, 180)], precision)
        case "floor" | "ceil":
            return _whole(name, first, precision)
        case "max" | "min" | "gcd" | "lcm":
            return _of_many(name, values)
    return _function(name, values, precision)


def _sum(values: list[Value], precision: Precision) -> Value:
    if all(isinstance(value, Fraction) for value in values):
        return _bounded(sum(values, Fraction(0)))
    inexact = [precision.meet(precision.inexact(value)) for value in values]
    return precision.without_noise(mp.fsum(inexact), max(map(abs, inexact)))


def _product(values: list[Value], precision: Precision) -> Value:
    product = values[0]
    for value in values[1:]:
        if isinstance(product, Fraction) and isinstance(value, Fraction):
            product = _bounded(product * value)
        else:
            product = precision.meet(precision.inexact(product) * precision.inexact(value))
            product = precision.without_noise(product, product)
    return product


def _quotient(over: Value, under: Value, precision: Precision) -> Value:
    if under == 0:
        raise Undefined("/ 0")
    if isinstance(over, Fraction) and isinstance(under, Fraction):
        return _bounded(over / under)
    quotient = precision.meet(precision.inexact(over) / precision.inexact(under))
    return precision.without_noise(quotient, quotient)


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST:
        raise Unreadable("too large")
    return value


def _power(tree: Apply, point: int, precision: Precision) -> Value:
    base, exponent = (value_of(part, point, precision) for part in tree.of)
    if isinstance(exponent, Fraction):
        if base == 0 and exponent <= 0:
            raise Undefined("0^0")
        if exponent.denominator == 1:
            return _whole_power(base, exponent.numerator, precision)
        if symbols_of(tree.of[1]) <= CONSTANTS and is_real(base) and base < 0 and exponent.denominator % 2:
            # As at school: (-8)^{1/3} is -2.
            root = _root(base, Fraction(exponent.denominator), precision)
            return _whole_power(root, exponent.numerator, precision)
        if exponent == Fraction(1, 2):
            return _root(base, Fraction(2), precision)
    if base == 0:
        raise Undefined("0^x")
    return _exponential(precision.inexact(exponent) * mp.log(precision.inexact(base)), precision)


def _whole_power(base: Value, exponent: int, precision: Precision) -> Value:
    if isinstance(base, Fraction):
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits > 1 and bits * abs(exponent) > LARGEST:
            raise Unreadable("too large")
        return base**exponent
    if exponent.bit_length() > 64 or abs(mp.mag(base) * exponent) > LARGEST:
        raise Unreadable("too large")
    return precision.without_noise(power := precision.meet(base**exponent), power)


def _exponential(exponent: Value, precision: Precision) -> Value:
    if mp.mag(exponent) > LARGEST.bit_length():
        raise Unreadable("too large")
    precision.meet(exponent)
    return precision.without_noise(power := precision.meet(mp.exp(exponent)), power)


def _root(value: Value, index: Value, precision: Precision) -> Value:
    if not isinstance(index, Fraction) or index.denominator != 1 or not 2 <= index <= 64:
        if value == 0 or index == 0:
            raise Undefined("root")
        return _exponential(mp.log(precision.inexact(value)) / precision.inexact(index), precision)
    degree = index.numerator
    if is_real(value) and value < 0 and degree % 2:
        return -_root(-value, index, precision)
    if isinstance(value, Fraction) and value >= 0 and (exact := root_of(value, degree)) is not None:
        return exact
    root = mp.sqrt(precision.inexact(value)) if degree == 2 else mp.root(precision.inexact(value), degree)
    return precision.without_noise(root, root)


def _factorial(value: Value, precision: Precision) -> Value:
    if isinstance(value, Fraction) and value.denominator == 1:
        if value < 0:
            raise Undefined("(-1)!")
        if value > _LARGEST_FACTORIAL:
            raise Unreadable("too large")
        return Fraction(math.factorial(value.numerator))
    return _gamma(lambda: mp.factorial(precision.inexact(value)), [value], precision)


def _binomial(over: Value, under: Value, precision: Precision) -> Value:
    if all(isinstance(value, Fraction) and value.denominator == 1 and value >= 0 for value in (over, under)):
        if over > _LARGEST_FACTORIAL:
            raise Unreadable("too large")
        return Fraction(math.comb(over.numerator, under.numerator))
    return _gamma(lambda: mp.binomial(*map(precision.inexact, (over, under))), [over, under], precision)


def _gamma(function: Callable[[], Value], of: list[Value], precision: Precision) -> Value:
    if precision.bits > _SLOW or any(mp.mag(precision.inexact(value)) > 10 for value in of):
        raise Unreadable("too large")
    return precision.without_noise(value := precision.meet(function()), value)


def _whole(name: str, value: Value, precision: Precision) -> Value:
    if isinstance(value, Fraction):
        return Fraction(math.floor(value) if name == "floor" else math.ceil(value))
    if not is_real(value):
        raise Undefined(name)
    nearest = mp.nint(value)
    if precision.without_noise(value - nearest, 1) == 0:  # it is a whole number, but for noise
        return Fraction(int(nearest))
    return Fraction(int(mp.floor(value) if name == "floor" else mp.ceil(value)))


def _of_many(name: str, values: list[Value]) -> Value:
    if name in ("max", "min"):
        if not all(map(is_real, values)):
            raise Undefined(name)
        return max(values) if name == "max" else min(values)
    if not all(isinstance(value, Fraction) and value.denominator == 1 for value in values):
        raise Unreadable(name)
    return Fraction((math.gcd if name == "gcd" else math.lcm)(*(value.numerator for value in values)))


def _function(name: str, values: list[Value], precision: Precision) -> Value:
    if name in _RECIPROCALS:
        return _quotient(Fraction(1), _function(_RECIPROCALS[name], values, precision), precision)
    if name in ("log", "ln"):
        return _logarithm(values, precision) if name == "log" else _natural(values[0], precision)
    argument = precision.meet(precision.inexact(values[0]))
    if mp.mag(argument) > LARGEST.bit_length():
        raise Unreadable("too large")
    if name == "exp":
        return _exponential(argument, precision)
    function = _DIRECT.get(name)
    if function is None:
        raise Unreadable(name)
    if name == "tan":  # at its poles, but for noise, the cosine is 0
        return _quotient(_function("sin", values, precision), _function("cos", values, precision), precision)
    value = precision.without_noise(function(argument), 1)
    return precision.meet(value) if name in ("sinh", "cosh") else value


def _natural(value: Value, precision: Precision) -> Value:
    if value == 0:
        raise Undefined("ln 0")
    return precision.without_noise(mp.log(precision.inexact(value)), 1)


def _logarithm(values: list[Value], precision: Precision) -> Value:
    base = values[1] if len(values) > 1 else _LOG_BASE
    return _quotient(_natural(values[0], precision), _natural(base, precision), precision)
