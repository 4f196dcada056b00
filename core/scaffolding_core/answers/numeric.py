"""Numeric: numbers by their value."""

from __future__ import annotations

import re
from collections.abc import Hashable
from fractions import Fraction

from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.extractor import Answer

__all__ = ["Numeric", "number_in"]

# Exponents have at most three digits and texts at most 64 characters, so no number grows out of hand.
_DECIMAL = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?"
_LATEX_FRACTION = re.compile(r"([-+]?)\\d?t?frac\{(-?\d+)\}\{(-?\d+)\}")
_NUMBER = re.compile(rf"({_DECIMAL})(?:\s?/\s?({_DECIMAL}))?(\s?%)?")
_LONGEST = 64


class Numeric(KeyEquivalence):
    """Numbers are the same if their values are, to a relative tolerance of none; other text to the letter."""

    def key(self, answer: Answer) -> Hashable:
        """The number's exact value, or the stripped text."""
        number = number_in(str(answer))
        return str(answer).strip() if number is None else number


def number_in(text: str) -> Fraction | tuple[str, Fraction] | None:
    """The number that a text is; None if it is none.

    Thousands separators, a currency sign, a full stop at the end, `a/b` and `\\frac{a}{b}` are understood; a
    percentage is a number of its own kind.
    """
    bare = (
        text.strip()
        .lstrip("$€£ ")
        .rstrip(" .")
        .replace("\\%", "%")
        .replace("−", "-")
        .replace("\\$", "")
        .replace("$", "")
    )
    if not bare or len(bare) > _LONGEST:
        return None
    latex = _LATEX_FRACTION.fullmatch(bare)
    if latex:
        bare = f"{latex[1]}{latex[2]}/{latex[3]}".replace("--", "").replace("+-", "-")
    match = _NUMBER.fullmatch(bare)
    if match is None:
        return None
    number, divisor, percent = match.groups()
    try:
        value = _fraction(number) / _fraction(divisor) if divisor else _fraction(number)
    except (ValueError, ZeroDivisionError):
        return None
    return ("%", value) if percent else value


def _fraction(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))
