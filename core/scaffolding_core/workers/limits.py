"""The limits of an answer, and checks of the numbers that a worker is made with."""

from __future__ import annotations

from dataclasses import dataclass

from scaffolding_core.errors import InvalidRequestError

__all__ = ["AnswerLimits", "check_counts", "check_seconds"]


@dataclass(frozen=True)
class AnswerLimits:
    """How long and how large an answer may be.

    Args:
        headers: seconds until it begins, over all attempts.
        first_byte: seconds from there until its first token.
        idle: seconds between two pieces of it.
        answer_bytes: bytes of each choice, decompressed, on the wire.
    """

    headers: float
    first_byte: float
    idle: float
    answer_bytes: int


def check_counts(**numbers: object) -> None:
    """Refuse whatever is no whole number of at least 1.

    Raises:
        InvalidRequestError: names the first of them.
    """
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InvalidRequestError(f"{name} must be a whole number of at least 1, got {number!r}")


def check_seconds(**numbers: object) -> None:
    """Refuse whatever is no time above 0.

    Raises:
        InvalidRequestError: names the first of them.
    """
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not number > 0:
            raise InvalidRequestError(f"{name} must be a number of seconds above 0, got {number!r}")
