"""AskedOnce: one question for all who want its answer, whatever thread and event loop they are on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from threading import Lock
from typing import Any, Generic, TypeVar

from scaffolding_core.errors import copy_error

__all__ = ["AskedOnce"]

T = TypeVar("T")

_LOOK_AGAIN = 1.0
"""Seconds until somebody who waits looks whether the loop that asks is still there."""


class AskedOnce(Generic[T]):
    """The answer to a question, which is asked when the first wants it; a failure is told to those who wait, once.

    Whoever is cut leaves the others waiting; if the loop that asks ends, one of them asks anew.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._latest: _Question[T] | None = None

    async def answer(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer.

        Args:
            ask: asks, if nobody has.

        Raises:
            Exception: what `ask` raised.
        """
        while True:
            with self._lock:
                if self._latest is None or self._latest.is_void:
                    self._latest = _Question(ask())
                question = self._latest
            if await question.ended():
                return question.result()


class _Question(Generic[T]):
    """One that is being asked, or was."""

    def __init__(self, asking: Coroutine[Any, Any, T]) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._told: Future[asyncio.Task[T]] = Future()
        self._told.set_running_or_notify_cancel()  # one who is cut does not cancel it for the others
        self._asking = self._loop.create_task(asking)
        self._asking.add_done_callback(self._tell)

    @property
    def is_void(self) -> bool:
        """Whether it gives no answer to whoever wants one now."""
        if self._told.done():
            return self._asking.cancelled() or self._asking.exception() is not None
        return self._is_lost

    @property
    def _is_lost(self) -> bool:
        return self._loop.is_closed() or self._process != os.getpid()

    async def ended(self) -> bool:
        """Wait for its end; returns whether it has a result, be it an error."""
        told = asyncio.wrap_future(self._told)
        while not told.done() and not self._is_lost:
            await asyncio.wait([told], timeout=_LOOK_AGAIN)
        return self._told.done() and not self._asking.cancelled()

    def _tell(self, asked: asyncio.Task[T]) -> None:
        if not asked.cancelled():
            asked.exception()  # else asyncio complains of it where all who waited were cut
        self._told.set_result(asked)

    def result(self) -> T:
        error = self._asking.exception()
        if error is not None:
            raise copy_error(error) from error.__cause__
        return self._asking.result()
