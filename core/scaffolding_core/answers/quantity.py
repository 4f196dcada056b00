"""Reading a number with its unit, whatever the way it is written."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Hashable
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.numerals import CJK_NUMERAL, english_number, with_digits
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.unit import MONEY, UNIT, unit_of

__all__ = ["Number", "WithUnit", "number_in", "quantity_key"]

Number: TypeAlias = "Fraction | tuple[str, Fraction]"
"""An exact value; a percentage is marked as such."""

_MAGNITUDES = {"dozen": 12, "hundred": 10**2, "thousand": 10**3, "lakh": 10**5, "million": 10**6, "crore": 10**7,
               "billion": 10**9, "trillion": 10**12}  # fmt: skip
_LETTERS = {"m": 10**6, "k": 10**3, "bn": 10**9}

# Exponents have at most three digits and texts at most 128 characters, so no number grows out of hand.
_DECIMAL = r"(?:\d{1,3}(?:[, '_]\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}|\d+)?(?:\.\d+)?"
_EXPONENT = r"(?:e(?P<{0}>[-+]?\d{{1,3}})|\s?(?:[×x*·]|\\times|\\cdot)\s?10\^\{{?(?P<{0}10>-?\d{{1,3}})\}}?)?"
_NUMBER = pattern(
    rf"(?P<sign>[-+]?)(?:(?P<whole>\d+)\s(?P<part>\d+/\d+)"
    rf"|10\^\{{?(?P<ten>-?\d{{1,3}})\}}?"
    rf"|(?P<number>{_DECIMAL}){_EXPONENT.format('e')}(?:\s?/\s?(?P<divisor>[-+]?{_DECIMAL}))?)"
    rf"(?:(?P<magnitude>(?:\s(?:{'|'.join(_MAGNITUDES)}))+)(?![^\W\d_])|(?P<letter>(?-i:M|[kK])|bn)(?![\w/]))?"
    rf"\s{{0,4}}{UNIT}",
    re.IGNORECASE,
)
_EUROPEAN = pattern(
    r"[-+]?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,}|(?: \d{3})+,\d{1,2})(?!\d)"
    r"|[-+]?\d+,\d{1,2}(?=\s?[%‰€]|\s(?:km|kg|cm|mm|m|g|l)\b)"
)
_GROUPED = pattern(r"€?\s?\d{1,3}\.\d{3}\s?€?")
_LATEX_FRACTION = pattern(
    r"([-+]?)\s?(?:(\d+)\s?)?\\[dt]?frac\s?(?:\{([-+]?\d+)\}|(\d))\s?(?:\{([-+]?\d+)\}|(\d))"
)
_MARKUP = pattern(r"\\[,;!]|\\(?=[$%])|\{(?=,\})|(?<=,)\}")
_FORMULA = pattern(r"(?:\$\$?|\\\(|\\\[)\s*(.*?)\s*(?:\$\$?|\\\)|\\\])")
_DEGREES = pattern(r"\^?\{?\^?\\circ\}?")
_CURRENCY = pattern(r"([-+]?)\s?(?:US)?([$€£¥₹₩₽₿])\s?([-+]?)|([-+]?)(?:Rs\.?\s?)(?=\d)")
_SPOKEN = pattern(
    r"(?:[a-z]{1,2}(?:_\{?\w\}?)?\s?=\s?)?"
    r"(?:(?:approximately|approx\.|about|around|roughly|nearly|exactly|only|just)\s|[≈~]\s?|\\approx\s?)?"
    r"(?:(?P<negative>minus|negative)\s(?=[\d$€£.]))?",
    re.IGNORECASE,
)
_SUPERSCRIPT = pattern("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_SIGNS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "\u00a0": " ",
        "\u2009": " ",
        "\u202f": " ",
        "’": "'",
        "٪": "%",
        "，": ",",
        "٬": ",",
        "٫": ".",
    }
    | {chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F) if chr(wide) != "，"}
    | {sign: " " + unicodedata.normalize("NFKC", sign).replace("⁄", "/") for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
)
_DIGIT = pattern(r"[\d½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]")
_LONGEST = 128


class WithUnit(NamedTuple):
    """The key of a number with a unit."""

    bare: tuple[object, ...]
    unit: str

    @property
    def broader(self) -> Hashable:
        """The key of the same number with less said of what it counts: `$18 per day`, `$18`, `18`."""
        unit, per, _ = self.unit.rpartition(" per ")
        return WithUnit(self.bare, unit) if per and unit in MONEY else self.bare


def number_in(answer: Answer) -> Number | None:
    """The number that an answer is, whatever the way it is written, its unit aside; None if it is none."""
    quantity = _quantity_in(answer)
    if quantity is None:
        return None
    value, unit = quantity
    return ("%", value) if unit == "%" else value


def quantity_key(answer: Answer) -> Hashable | None:
    """The number that an answer is and its unit, in a form that is hashed fast; None if it is none."""
    quantity = _quantity_in(answer)
    if quantity is None:
        return None
    value, unit = quantity
    bare = value.numerator, value.denominator
    if unit == "%":
        return unit, *bare
    return WithUnit(bare, unit) if unit else bare


def _quantity_in(answer: Answer) -> tuple[Fraction, str] | None:
    if isinstance(answer, int | Fraction) and not isinstance(answer, bool):
        return Fraction(answer), ""
    if not isinstance(answer, str | float):
        return None
    text = str(answer)
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if _DIGIT.search(text) and (written := _quantity_written(text)):
        return written
    if CJK_NUMERAL.search(text):
        return _quantity_written(with_digits(text))
    return _spelled(text)


def _spelled(text: str) -> tuple[Fraction, str] | None:
    """A number in English words, with a known unit behind it or none."""
    if not text.isascii() or _DIGIT.search(text):
        return None
    bare = text.strip(" .")
    number = english_number(bare)
    if number is not None:
        return number, ""
    words, _, last = bare.rpartition(" ")
    number = english_number(words) if words else None
    return None if number is None else _quantity_written(f"{number} {last}")


def _quantity_written(text: str) -> tuple[Fraction, str] | None:
    if "€" in text and _GROUPED.fullmatch(text):
        return None  # thousands to some, thousandths to others
    currency, bare = _without_currency(_plain(text))
    found = _NUMBER.fullmatch(bare)
    if found is None:
        return None
    unit = unit_of(found, currency)
    if unit is None:
        return None
    try:
        value = _value(found)
    except (KeyError, ValueError, ZeroDivisionError):  # `thouſand` matches without case, and is no word
        return None
    return value, unit


def _plain(text: str) -> str:
    """The text without markup, in signs that the pattern knows."""
    bare = text.translate(_SIGNS).strip().rstrip(" .")
    if formula := _FORMULA.fullmatch(bare):
        bare = formula[1]
    if bare[:1] == "%":  # as it is written from right to left
        bare = bare[1:] + "%"
    bare = _DEGREES.sub("°", _MARKUP.sub("", bare)).strip()
    bare = _SUPERSCRIPT.sub(lambda found: "^" + unicodedata.normalize("NFKC", found[0]).replace("−", "-"), bare)
    if spoken := _SPOKEN.match(bare):
        bare = ("-" if spoken["negative"] else "") + bare[spoken.end() :]
    if european := _EUROPEAN.match(bare):
        bare = european[0].replace(".", "").replace(" ", "").replace(",", ".") + bare[european.end() :]
    if fraction := _LATEX_FRACTION.match(bare):
        bare = _fraction_in_line(fraction) + bare[fraction.end() :]
    return bare


def _fraction_in_line(found: re.Match[str]) -> str:
    sign, whole, *parts = found.groups()
    over, under = (part for part in parts if part is not None)
    negative = sum(part.startswith("-") for part in (sign, over, under)) % 2
    mixed = f"{whole} " if whole else ""
    return f"{'-' if negative else ''}{mixed}{over.lstrip('+-')}/{under.lstrip('+-')}"


def _without_currency(text: str) -> tuple[str, str]:
    found = _CURRENCY.match(text)
    if found is None:
        return "", text
    sign, currency, other, rupees = found.groups()
    return currency or "₹", (sign or "") + (other or "") + (rupees or "") + text[found.end() :]


def _value(found: re.Match[str]) -> Fraction:
    if found["ten"]:
        value = Fraction(10) ** int(found["ten"])
    elif found["whole"]:
        value = int(found["whole"]) + Fraction(found["part"])
    else:
        value = _decimal(found["number"]) * Fraction(10) ** int(found["e"] or found["e10"] or 0)
        if found["divisor"] is not None:
            value /= _decimal(found["divisor"])
    if found["magnitude"]:
        value *= math.prod(_MAGNITUDES[word] for word in found["magnitude"].lower().split())
    if found["letter"]:
        value *= _LETTERS[found["letter"].lower()]
    return -value if found["sign"] == "-" else value


def _decimal(text: str) -> Fraction:
    return Fraction(re.sub("[, '_]", "", text))
