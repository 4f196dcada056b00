"""Numeric: numbers by their value."""

from __future__ import annotations

import re
from collections.abc import Hashable
from fractions import Fraction
from typing import TypeAlias

from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.exact import Exact
from scaffolding_core.answers.extractor import Answer

__all__ = ["Number", "Numeric", "number_in"]

Number: TypeAlias = "Fraction | tuple[str, Fraction]"
"""An exact value; a percentage is marked as such."""

_UNITS = (
    "dollars?|cents?|euros?|pounds?|usd|eur|gbp|degrees?|radians?|points?|units?|"
    "seconds?|minutes?|hours?|days?|weeks?|months?|years?|"
    "mm|cm|km|ft|mph|millimeters?|centimeters?|meters?|metres?|kilometers?|kilometres?|inch(?:es)?|feet|miles?|"
    "mg|kg|grams?|kilograms?|lbs?|ml|lit(?:er|re)s?|km/h|m/s"
)
# Exponents have at most three digits and texts at most 128 characters, so no number grows out of hand.
_DECIMAL = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?"
_NUMBER = re.compile(
    rf"({_DECIMAL})(?:\s?/\s?({_DECIMAL}))?\s{{0,4}}"
    rf"(?:(%|percent)|(?:(?:square|cubic) )?(?:{_UNITS})(?:\^\{{?[23]\}}?|[²³])?|°|\^?\{{?\^?\\circ\}}?)?",
    re.IGNORECASE,
)
_LATEX_FRACTION = re.compile(r"([-+]?)\\[dt]?frac\s?(?:\{(-?\d+)\}|(\d))\s?(?:\{(-?\d+)\}|(\d))")
_CURRENCY = re.compile(r"\\?[$€£¥]")
_LONGEST = 128


class Numeric(KeyEquivalence):
    """Numbers are the same if their values are, exactly; everything else to the letter.

    `1,000`, `1000.0`, `$1000`, `1e3` and `1000 dollars` are one answer, so are `1/2`, `0.5` and `\\frac12`;
    `50%` is `50 percent`, not `0.5`. A unit is left out, since the question fixes it: `5 cm` and `5 m`
    written as `5 meters` are one answer, too. Take `Exact` where units must be told apart.
    """

    def key(self, answer: Answer) -> Hashable:
        """The number's exact value, or what is no number as it stands."""
        number = number_in(answer)
        if number is not None:
            return number
        return answer.strip() if isinstance(answer, str) else Exact().key(answer)


def number_in(answer: Answer) -> Number | None:
    """The number that an answer is, whatever the way it is written; None if it is none."""
    if isinstance(answer, int | Fraction) and not isinstance(answer, bool):
        return Fraction(answer)
    if not isinstance(answer, str | float):
        return None
    text = str(answer)
    return _number_written(text.strip()) if len(text) <= _LONGEST else None


def _number_written(text: str) -> Number | None:
    bare = _CURRENCY.sub("", text).replace("\\%", "%").replace("−", "-").replace("{,}", ",")
    bare = bare.lstrip().rstrip(" .")
    latex = _LATEX_FRACTION.fullmatch(bare)
    if latex:
        bare = f"{latex[1]}{latex[2] or latex[3]}/{latex[4] or latex[5]}".replace("--", "").replace("+-", "-")
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
