"""Admission: calls start within the limits of a minute, in the order they came."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Lock

from scaffolding_core.workers.pool.changes import Changes
from scaffolding_core.workers.pool.prompts import estimated_tokens
from scaffolding_core.workers.pool.rate_limit import RateLimit
from scaffolding_core.workers.pool.sample import Sample

__all__ = ["Admission"]


class Admission:
    """A line before the limits of a minute, for all event loops and threads.

    Args:
        requests: a minute; None for any number.
        tokens: a minute; None for any number.
        check: raises where nobody may start any more.
    """

    def __init__(self, requests: int | None, tokens: int | None, check: Callable[[], None]) -> None:
        self._limit = RateLimit(requests, tokens, time.monotonic())
        self._check = check
        self._lock = Lock()
        self._line = Changes[None]()

    @asynccontextmanager
    async def admitted(self, sample: Sample) -> AsyncIterator[None]:
        """Wait until a call may start; when it has ended, what it took is counted in the place of the estimate."""
        tokens = self._limit.estimate(estimated_tokens(sample.task))
        await self._turn(tokens)
        try:
            yield
        finally:
            with self._lock:
                if sample.attempts:
                    self._limit.correct(tokens, sample.usage.total_tokens)
                else:
                    self._limit.give_back(tokens)
            self._tell()

    def close(self) -> None:
        """Let all who wait look whether they still may start."""
        self._line.tell()

    async def _turn(self, tokens: int) -> None:
        try:
            with self._line.watch(None) as change:
                while True:
                    self._check()
                    wait = None  # until it is the first
                    if change.is_first:
                        with self._lock:
                            wait = self._limit.take(tokens, time.monotonic())
                    if wait == 0:
                        return
                    await change.comes(wait)
        finally:
            self._tell()

    def _tell(self) -> None:
        """Let the first in line look: there is more than it was told, or it was not the first before."""
        self._line.tell_first(lambda nobody: True, together=lambda nobody: nobody)
