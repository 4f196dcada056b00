"""A part of a method that is not its answer yet."""

from __future__ import annotations

from typing import TypeVar

from scaffolding_core.controller import ParallelProcess, Steps

__all__ = ["apart"]

T = TypeVar("T")


def apart(steps: Steps[T]) -> Steps[T]:
    """Run steps in a branch of their own: what they decide there is shown to nobody as the answer."""
    values: list[T] = yield ParallelProcess.from_generators([steps])
    return values[0]
