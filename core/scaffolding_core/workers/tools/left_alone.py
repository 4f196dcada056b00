"""LeftAlone: which of several do not tell their tools, so that nobody waits for them each time."""

from __future__ import annotations

import time

from scaffolding_core.errors import WorkerError

__all__ = ["LeftAlone"]

LEFT_ALONE_SECONDS = 30.0
"""Time for which one of several is not asked for its tools again that did not tell them."""


class LeftAlone:
    """Those of several that did not tell their tools, each for a while."""

    def __init__(self) -> None:
        self._failed: dict[int, tuple[WorkerError, float]] = {}

    def add(self, index: int, error: WorkerError) -> None:
        """Leave one alone from now on."""
        self._failed[index] = error, time.monotonic() + LEFT_ALONE_SECONDS

    def why(self, index: int) -> WorkerError | None:
        """Why one is left alone; None where it may be asked."""
        error, until = self._failed.get(index, (None, 0.0))
        return error if time.monotonic() < until else None
