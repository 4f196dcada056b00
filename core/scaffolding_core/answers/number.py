"""LastNumber: the last number in a text."""

from __future__ import annotations

import re

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.unit import KNOWN_UNIT
from scaffolding_core.messages import AssistantMessage

__all__ = ["LastNumber", "last_number", "last_quantity"]

_FRACTION = r"\\[dt]?frac\s?(?:\{[-+]?\d{1,40}\}|\d)\s?(?:\{[-+]?\d{1,40}\}|\d)"
_POWER_OF_TEN = r"(?:\s?(?:[×x*·]|\\times|\\cdot)\s?10(?:\^\{?-?\d{1,3}\}?|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4}))"
# What is joined by a mark is one number: half of a time, a date or a fraction would be another.
_NUMBER = re.compile(
    rf"(?<![\w\\])(?<!\d[.:,/])[-+−]?(?:"
    rf"(?:\d{{1,20}}\s?)?{_FRACTION}"
    r"|\d{1,4}(?:[:–-]\d{1,4})+(?:\s?[ap]\.?m\b\.?)?(?![\d/])"
    r"|\d+\s\d{1,9}/\d{1,9}"
    r"|\d{1,4}/\d{1,4}/\d{1,4}"
    rf"|(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,3}}(?:[  \u2009\u202f]\d{{3}})+|\d+(?:[.,]\d+)*|(?<!\.)\.\d+)"
    rf"(?:\.\d+)?(?:[eE][-+]?\d{{1,3}}|{_POWER_OF_TEN})?(?:/\d+)?[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]?|[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])"
    r"(?:\s(?:thousand|million|billion|trillion)\b|\s?\\?%)?(?!\d)"
)
_UNIT = re.compile(rf"\s?{KNOWN_UNIT}", re.IGNORECASE)
_CURRENCY = re.compile(r"-?[$€£¥](?!.)")
_TAIL = 1_000
_FORMULA_ENDS = re.compile(r"[^\n$]{0,80}\$(?!\d)")


class LastNumber(Extractor):
    """The last number in the text, as it is written: `1,000`, `-3.5`, `2 1/2`, `50%`, `3 × 10^8`, `5 million`.

    A time, a date or a ratio is one number.
    """

    def extract(self, message: AssistantMessage) -> str | None:
        """The number; None if the text has none."""
        return last_number(message.text)


def last_number(text: str) -> str | None:
    """The last number in a text."""
    found = _last(text)
    return found[0] if found else None


def last_quantity(text: str) -> str | None:
    """The last number in a text, with its currency or unit where it has a known one."""
    found = _last(text)
    if found is None:
        return None
    unit = _UNIT.match(text, found.end())
    if unit is not None and unit["unit"] not in (None, "$"):
        return text[found.start() : unit.end()]
    currency = _CURRENCY.search(text, max(0, found.start() - 2), found.start())
    if currency is None or _FORMULA_ENDS.match(text, found.end()):
        return found[0]
    return currency[0] + found[0]


def _last(text: str) -> re.Match[str] | None:
    last = None
    for start in sorted({max(0, len(text) - _TAIL), 0}, reverse=True):
        for found in _NUMBER.finditer(text, start):
            last = found
        if last is not None:
            break
    return last
