"""PerLoop: what belongs to an event loop, made when it is first wanted there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

__all__ = ["PerLoop"]

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One value for each event loop.

    Args:
        make: makes that of the running loop.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[asyncio.AbstractEventLoop, T] = {}
        self._lock = threading.Lock()

    def here(self) -> T:
        """The running loop's value, made where there is none."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._values = {known: value for known, value in self._values.items() if not known.is_closed()}
            if loop not in self._values:
                self._values[loop] = self._make()
            return self._values[loop]

    def take_here(self) -> T | None:
        """The running loop's value, which is no longer kept; None where there is none."""
        with self._lock:
            return self._values.pop(asyncio.get_running_loop(), None)

    def take_all(self, tell: Callable[[T], None]) -> None:
        """Keep no value any longer, and have each loop do something with its own, soon.

        Args:
            tell: is called with a value, on its loop.
        """
        with self._lock:
            values, self._values = self._values, {}
        for loop, value in values.items():
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(tell, value)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._make,)  # what is open stays in its process
