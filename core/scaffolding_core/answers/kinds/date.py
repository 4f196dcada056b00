"""Days, years and times of day."""

from __future__ import annotations

from collections.abc import Hashable

from scaffolding_core.answers.date import DAY, date_key, time_key
from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.extractor import Answer, Extractor
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.answers.numerals import with_digits
from scaffolding_core.answers.phrase import said_in, settled_in
from scaffolding_core.answers.phrases import InPhrases
from scaffolding_core.answers.value import bare
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import JsonValue

__all__ = ["SameDate", "date_answers"]

_LONGEST = 200


def date_answers() -> Extractor:
    """Finds the day, year or time that a text answers with; where nothing marks one, the last sentence's last."""
    return InPhrases(_date)


class SameDate(KeyEquivalence):
    """Days and times are the same however they are written; anything else as `Normalised` has it.

    Args:
        day_first: how `3/5/2024` is meant: with the day first, or with the month; None if nobody knows, so that it
            is the same as nothing but `03/05/2024`.

    Raises:
        InvalidRequestError: something else.
    """

    costly = False

    def __init__(self, day_first: bool | None = None) -> None:
        if day_first not in (None, True, False):
            raise InvalidRequestError(f"day_first must be True, False or None, got {day_first!r}")
        self.day_first = day_first
        self._otherwise = Normalised()

    def key(self, answer: Answer) -> Hashable:
        """The day's or the time's key."""
        said = with_digits(bare(answer)) if isinstance(answer, str) and len(answer) <= _LONGEST else ""
        return date_key(said, day_first=self.day_first) or time_key(said) or self._otherwise.key(answer)


def _date(phrase: JsonValue, how: str) -> Answer | None:
    if not isinstance(phrase, str):
        return str(phrase) if isinstance(phrase, int) and not isinstance(phrase, bool) else None
    said = (settled_in(phrase) if how == "last sentence" else said_in(phrase)) or ""
    if date_key(with_digits(said)) or time_key(said):
        return said
    days = list(DAY.finditer(phrase))
    return days[-1][0] if days else None
