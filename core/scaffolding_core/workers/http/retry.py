"""When to try again: pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random

__all__ = ["LONGEST_WAIT", "asked_wait", "backoff"]

LONGEST_WAIT = 120.0
"""Seconds that a server may ask to wait; one that asks for more is not tried again."""

_FIRST, _LAST = 0.5, 8.0


def backoff(attempt: int, random: Random) -> float:
    """Seconds to wait after a failed attempt: exponential, with full jitter so that many do not come at once.

    Args:
        attempt: number of the attempt that failed, from 1.
        random: source of the jitter.
    """
    return random.uniform(0, min(_LAST, _FIRST * 2 ** (attempt - 1)))


def asked_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a server asks to wait, by `retry-after-ms` or `Retry-After`; infinity for more than allowed.

    Args:
        headers: of the answer, names without regard to case.
        now: for a `Retry-After` that is a date.

    Returns:
        None if it asks for nothing that makes sense.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is None and text is not None:
        seconds = _seconds_until(text, now or datetime.now(UTC))
    return None if seconds is None else _bounded(seconds)


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - now).total_seconds()


def _bounded(seconds: float) -> float | None:
    if seconds < 0:
        return None
    return seconds if seconds <= LONGEST_WAIT else math.inf
