"""LastNumber: the last number in a text."""

from __future__ import annotations

import re
from typing import NamedTuple

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.quantity import quantity_key
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.answers.unit import UNIT
from scaffolding_core.messages import AssistantMessage

__all__ = ["LastNumber", "Quantity", "last_number", "quantities"]

_FRACTION = r"\\[dt]?frac\s?(?:\{[-+]?\d{1,40}\}|\d)\s?(?:\{[-+]?\d{1,40}\}|\d)"
_POWER_OF_TEN = r"(?:\s?(?:[×x*·]|\\times|\\cdot)\s?10(?:\^\{?-?\d{1,3}\}?|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4}))"
# What is joined by a mark is one number: half of a time, a date or a fraction would be another.
_NUMBER = pattern(
    rf"(?<![A-Za-zÀ-ɏ0-9_\\])(?<!\d[.:,/])[-+−]?(?:"
    rf"(?:\d{{1,20}}\s?)?{_FRACTION}"
    r"|\d{1,4}(?:[:–-]\d{1,4})+(?:\s?[ap]\.?m\b\.?)?(?![\d/])"
    r"|\d+\s\d{1,9}/\d{1,9}"
    r"|\d{1,4}/\d{1,4}/\d{1,4}"
    rf"|(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,3}}(?:[  \u2009\u202f]\d{{3}})+|\d+(?:[.,]\d+)*|(?<!\.)\.\d+)"
    rf"(?:\.\d+)?(?:[eE][-+]?\d{{1,3}}|{_POWER_OF_TEN})?(?:/\d+)?[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]?|[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])"
    r"(?:\s(?:thousand|million|billion|trillion)\b|\s?\\?%)?(?!\d)"
)
_CURRENCY = pattern(r"-?[$€£¥](?!.)")
_ANY_UNIT = pattern(rf"\s?{UNIT}", re.IGNORECASE)
_TAIL = 1_000
_SEARCHED = 100_000


class LastNumber(Extractor):
    """The last number in the text, as it is written: `1,000`, `-3.5`, `2 1/2`, `50%`, `3 × 10^8`, `5 million`.

    A time, a date or a ratio is one number. Of a longer text, the last 100,000 characters are searched.
    """

    costly = False

    def extract(self, message: AssistantMessage) -> str | None:
        """The number; None if the text has none."""
        return last_number(without_thoughts(message.text) or "")


class Quantity(NamedTuple):
    """A number in a text, with its currency and its unit.

    Attributes:
        text: as it is written.
        start: where it begins.
        end: behind it.
        has_unit: whether anything is counted.
    """

    text: str
    start: int
    end: int
    has_unit: bool


def quantities(text: str) -> list[Quantity]:
    """The numbers in a text, each with the currency before it and the unit, or what is counted, behind it."""
    found = []
    for number in _NUMBER.finditer(text):
        start, end = number.span()
        if currency := _CURRENCY.search(text, max(0, start - 2), start):
            start = currency.start()
        unit = _ANY_UNIT.match(text, end)
        if unit is not None and unit[0].strip() and quantity_key(text[start : unit.end()]) is not None:
            end = unit.end()
        found.append(Quantity(text[start:end], start, end, currency is not None or end > number.end()))
    return found


def last_number(text: str) -> str | None:
    """The last number in a text."""
    found = _last(text[-_SEARCHED:])
    return found[0] if found else None


def _last(text: str) -> re.Match[str] | None:
    last = None
    for start in sorted({max(0, len(text) - _TAIL), 0}, reverse=True):
        for found in _NUMBER.finditer(text, start):
            last = found
        if last is not None:
            break
    return last
