"""How many blocking calls really run: one that was cut runs on in its thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from scaffolding_core.adapting import on_abandoned

__all__ = ["ThreadsAtOnce"]

_held: ContextVar[tuple[ThreadsAtOnce, ...]] = ContextVar("_held", default=())


class ThreadsAtOnce:
    """Places for blocking calls, each of which keeps its own until its thread has ended it.

    Args:
        limit: places.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._places = threading.Semaphore(limit)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.limit,)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place, and hold it; a call inside one that holds a place needs none.

        Raises:
            Abandoned: nobody waits for the call any more.
        """
        held = _held.get()
        if self in held:
            yield
            return
        with self._places:
            with on_abandoned(lambda: None):  # it may have been cut while it waited
                pass
            token = _held.set((*held, self))
            try:
                yield
            finally:
                _held.reset(token)
