"""Changes: waking those who wait for a replica, on whatever event loop they are."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Lock

__all__ = ["Changes"]


class Changes:
    """Tells all who wait that something has changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def watch(self) -> Change:
        """Notice what changes from here on."""
        return Change(self)

    def tell(self) -> None:
        """Something has changed."""
        if not self._waiting:  # without the lock: most calls find nobody
            return
        with self._lock:
            waiting = list(self._waiting)
        for loop, event in waiting:
            with suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(event.set)


class Change:
    """The next change, for one who waits on the running loop; leaving the `with` ends the watch."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._event = asyncio.Event()
        self._entry = (asyncio.get_running_loop(), self._event)

    def __enter__(self) -> Change:
        with self._changes._lock:
            self._changes._waiting.add(self._entry)
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._changes._lock:
            self._changes._waiting.discard(self._entry)

    async def comes(self, seconds: float | None) -> None:
        """Wait for it, for so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()
