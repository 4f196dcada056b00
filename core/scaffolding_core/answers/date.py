"""Days, years and times, whatever the way they are written."""

from __future__ import annotations

import datetime
import re
from collections.abc import Hashable

from scaffolding_core.answers.pattern import pattern

__all__ = ["DAY", "date_key", "time_key"]

_MONTHS = (
    "january jan januar jänner janvier enero gennaio janeiro ocak января январь",
    "february feb februar février fevrier febrero febbraio fevereiro февраля февраль",
    "march mar märz marz mars marzo março марта март",
    "april apr avril abril aprile апреля апрель",
    "may mai mayo maggio maio мая май",
    "june jun juni juin junio giugno junho июня июнь",
    "july jul juli juillet julio luglio julho июля июль",
    "august aug août aout agosto августа август",
    "september sep sept septembre septiembre settembre setembro сентября сентябрь",
    "october oct oktober okt octobre octubre ottobre outubro октября октябрь",
    "november nov novembre noviembre novembro ноября ноябрь",
    "december dec dezember dez décembre decembre diciembre dicembre dezembro декабря декабрь",
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEKDAY_OF = {name[:length]: day for day, name in enumerate(_WEEKDAYS) for length in (3, 4, 5, len(name))}

_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|\.)?"
_YEAR = r"(?P<year>\d{3,4})"
_WEEKDAY = rf"(?:(?P<weekday>{'|'.join(sorted(_WEEKDAY_OF, key=len, reverse=True))})\.?,?\s+)?"
_ERA = r"(?:\s(?P<era>BCE?|B\.C\.?(?:E\.?)?|AD|A\.D\.?|CE|C\.E\.?))?"
_FORMS = [
    r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})(?:T00:00(?::00)?Z?)?",
    r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})",
    r"(?P<first>\d{1,2})(?P<sep>[-/])(?P<second>\d{1,2})(?P=sep)(?P<year>\d{4})",
    rf"(?:the\s)?{_DAY}\s(?:de\s|of\s)?{_MONTH}(?:,?\s(?:de\s|of\s)?{_YEAR}{_ERA})?",
    rf"{_MONTH}\s(?:the\s)?{_DAY}(?:,?\s{_YEAR}{_ERA})?",
    rf"{_MONTH},?\s(?:de\s|of\s)?(?P<year>\d{{4}})",
    r"(?P<year>\d{2,4})\s?[年년]\s?(?P<month>\d{1,2})\s?[月월](?:\s?(?P<day>\d{1,2})\s?[日号號일])?",
    r"(?P<month>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日号號일]",
]
_PATTERNS = [pattern(_WEEKDAY + form, re.IGNORECASE) for form in _FORMS]
_YEAR_OF_ERA = pattern(
    r"(?:in\s)?(?:(?P<before>AD|A\.D\.?)\s(?P<first>\d{1,4})|(?P<second>\d{1,4})\s?(?P<era>BCE?|B\.C\.?(?:E\.?)?|AD|A\.D\.?|CE|C\.E\.?))",
    re.IGNORECASE,
)
_OTHER_YEAR = pattern(r"(?:in\s|(?:the\s)?year\s)(?P<year>[12]\d{3})|(?P<alone>\d{4})\s?[年년]", re.IGNORECASE)
_TIME = pattern(
    r"(?:at\s)?(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?)?\s?(?P<half>[ap])\.?\s?m\.?",
    re.IGNORECASE,
)
_CLOCK = pattern(
    r"(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?:\s?(?:h|hrs|hours|Uhr))?"
)
_WORDS = {"noon": (12, 0, 0), "midnight": (0, 0, 0), "12 noon": (12, 0, 0), "12 midnight": (0, 0, 0)}
_LONGEST = 60

DAY = pattern(
    "|".join(
        re.sub(r"\(\?P<\w+>", "(?:", re.sub(r"\(\?P=sep\)", "[-/.]", form)) for form in (*_FORMS[:5], *_FORMS[6:])
    ),
    re.IGNORECASE,
)
"""A day somewhere in a text."""


def date_key(text: str, *, day_first: bool | None = None) -> Hashable | None:
    """The day, month or year of an era that a text is, in a form that is the same however it is written.

    `3/5/2024` is the third of May to some and the fifth of March to others, so it is the same as `03/05/2024` and
    as nothing else, unless it is said which comes first. A week day beside the date it falls on does not count.

    Args:
        text: without markup.
        day_first: how `3/5/2024` is meant; None if nobody knows.
    """
    if len(text) > _LONGEST or not any(sign.isdecimal() for sign in text):
        return None
    for form in _PATTERNS:
        if found := form.fullmatch(text):
            return _day(found.groupdict(), day_first)
    if found := _YEAR_OF_ERA.fullmatch(text):
        era = (found["before"] or found["era"]).upper()
        return "year", int(found["first"] or found["second"] or 0), "B" if era.startswith("B") else "A"
    if found := _OTHER_YEAR.fullmatch(text):
        return int(found["year"] or found["alone"]), 1  # as the number is compared
    return None


def time_key(text: str) -> Hashable | None:
    """The time of day that a text is; one that says neither morning nor evening is the same as no other."""
    if len(text) > _LONGEST:
        return None
    if said := _WORDS.get(text.lower().removeprefix("at ")):
        return "time", *said
    if found := _TIME.fullmatch(text):
        hour = int(found["hour"])
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
        return "time", hour, int(found["minute"] or 0), int(found["second"] or 0)
    if found := _CLOCK.fullmatch(text):
        hour = int(found["hour"])
        known = hour > 12 or hour == 0
        return "time" if known else "clock", hour % 24, int(found["minute"]), int(found["second"] or 0)
    return None


def _day(parts: dict[str, str | None], day_first: bool | None) -> Hashable | None:
    year = int(parts["year"] or 0) if parts.get("year") else None
    if parts.get("first"):
        first, second = int(parts["first"] or 0), int(parts["second"] or 0)
        if day_first is None and max(first, second) <= 12 and first != second:
            return "day or month", first, second, year
        day, month = (first, second) if (first > 12 if day_first is None else day_first) else (second, first)
    else:
        named = parts.get("month") or ""
        month = int(named) if named.isdecimal() else _MONTH_OF.get(named.lower(), 0)
        day = int(parts.get("day") or 0)
    if not 1 <= month <= 12 or day > 31:
        return None
    weekday = parts.get("weekday")
    if weekday is not None and not _falls_on(_WEEKDAY_OF.get(weekday.lower(), -1), year, month, day):
        return None
    era = (parts.get("era") or "A").upper()[0]
    return "date", year, month, day, "B" if era == "B" else "A"


def _falls_on(weekday: int, year: int | None, month: int, day: int) -> bool:
    try:
        return datetime.date(year or 0, month, day).weekday() == weekday
    except ValueError:
        return False
