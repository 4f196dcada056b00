"""Numbers: exact where they can be, else to as many digits as it takes to tell unequal ones apart."""

from __future__ import annotations

import hashlib
import itertools
import math
from fractions import Fraction
from typing import Any, TypeAlias

from mpmath import mp

from scaffolding_core.answers.formulas.tree import Unreadable

__all__ = [
    "LARGEST",
    "POINTS",
    "Precision",
    "Value",
    "coordinate",
    "invented",
    "is_real",
    "nearly_equal",
    "root_of",
]

# Any: mpmath has no types; what is no Fraction is its mpf, or its mpc for a number that is not real.
Value: TypeAlias = "Fraction | Any"

LARGEST = 1 << 17
"""Bits of an exact number; 2006! has 19,000."""

FINEST = 1 << 14
"""Bits of precision."""

_LEAST, _SPARE = 256, 128


class Precision:
    """How exactly is computed, and how exactly it would have to be.

    A number that is not exact is off by some of its last bits, and what is subtracted from another of its size is
    off by more. How far the sizes of all numbers met lie apart tells how many bits that can cost.

    Attributes:
        bits: of each number.
    """

    def __init__(self, bits: int = _LEAST) -> None:
        self.bits = bits
        self._span = 0

    @property
    def needed(self) -> int:
        """Bits that what was met takes; few different ones, so that values are found again."""
        return _LEAST << ((_SPARE + 4 * self._span - 1) // _LEAST).bit_length()

    def meet(self, value: Value) -> Value:
        """Note the size of a number."""
        if isinstance(value, Fraction):
            self._span = max(self._span, value.numerator.bit_length(), value.denominator.bit_length())
        elif value != 0:
            self._span = max(self._span, abs(int(mp.mag(value))))
        if self.needed > FINEST:
            raise Unreadable("too large")
        return value

    def inexact(self, value: Value) -> Value:
        """The number to so many bits."""
        if not isinstance(value, Fraction):
            return value
        self.meet(value)
        return mp.mpf(value.numerator) / value.denominator

    def without_noise(self, value: Value, size: Value) -> Value:
        """The number, or the part of it, that is not left over from numbers of that size that cancel out."""
        if isinstance(value, Fraction):
            return value
        least = mp.ldexp(abs(size), -(self.bits * 3 // 4))
        real, imaginary = mp.re(value), mp.im(value)
        real = real if abs(real) > least else mp.mpf(0)
        return mp.mpc(real, imaginary) if abs(imaginary) > least else real


def nearly_equal(first: Value, other: Value, bits: int) -> bool:
    """Whether two numbers are equal as far as the precision goes; exact ones to the last digit."""
    if isinstance(first, Fraction) and isinstance(other, Fraction):
        return first == other
    first, other = _approximate(first), _approximate(other)
    return bool(abs(first - other) <= mp.ldexp(max(abs(first), abs(other)), -(bits // 2)))


def is_real(value: Value) -> bool:
    """Whether a number has no imaginary part."""
    return isinstance(value, Fraction | mp.mpf)


def invented(name: str, *of: Value) -> Fraction:
    """The value of an unknown function of these: arbitrary, but always the same.

    Args:
        name: of the function.
        of: its arguments, which are alike if they are equal in their first 96 bits.
    """
    parts = [part for value in of for part in (mp.re(_approximate(value)), mp.im(_approximate(value)))]
    digest = _digest(name, *(int(mp.nint(mp.ldexp(part, 96))) for part in parts))
    numerator, denominator = digest % 3691 + 307, digest // 3691 % 997 + 499
    return Fraction(numerator if digest & 1 << 60 else -numerator, denominator)


def coordinate(name: str, point: int) -> Fraction:
    """The value of a variable at a point: above 0 at the first of them, then as often below it.

    No two single letters have the same signs at all points, so that the sign of their product changes, too.
    """
    value = abs(invented(f"{name} at {point}"))
    if point < POSITIVE:
        return value
    row = ord(name) if len(name) == 1 else _digest(name)
    return -value if point in _BELOW[row % len(_BELOW)] else value


POSITIVE = 4
POINTS = 12
_BELOW = list(itertools.combinations(range(POSITIVE, POINTS), (POINTS - POSITIVE) // 2))


def _digest(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def _approximate(value: Value) -> Any:
    return mp.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def root_of(value: Fraction, index: int) -> Fraction | None:
    """The exact root of a number that is not negative, if it has one."""
    over, under = _whole_root(value.numerator, index), _whole_root(value.denominator, index)
    return None if over is None or under is None else Fraction(over, under)


def _whole_root(number: int, index: int) -> int | None:
    if index == 2:
        root = math.isqrt(number)
    elif number.bit_length() < 50:
        root = round(number ** (1 / index))
    else:  # it is computed as any other
        return None
    return root if root**index == number else None
