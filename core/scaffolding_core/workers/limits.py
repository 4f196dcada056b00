"""The limits of an answer, and checks of the numbers that a worker is made with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tasks import Task

__all__ = ["AnswerLimits", "check_counts", "check_seconds", "deadline_of"]


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


def deadline_of(task: Task, timeout: float | None) -> float | None:
    """When a task that starts now has to be done, on the running loop's clock; None if it has any time.

    Args:
        task: its request may have a deadline.
        timeout: seconds that its worker allows; None for any.
    """
    deadline = task.scope.deadline if task.scope is not None else None
    if timeout is None:
        return deadline
    own = asyncio.get_running_loop().time() + timeout
    return own if deadline is None else min(own, deadline)
