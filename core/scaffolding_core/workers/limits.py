"""Checks of the numbers that a worker is made with."""

from __future__ import annotations

from scaffolding_core.errors import InvalidRequestError

__all__ = ["check_counts", "check_seconds"]


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
