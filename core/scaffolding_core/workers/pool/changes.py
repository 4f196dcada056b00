"""Changes: waking those who wait for something, on whatever event loop they are, in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["Change", "Changes"]

W = TypeVar("W")


class Changes(Generic[W]):
    """Tells those who wait that something has changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[Change[W], None] = {}

    @property
    def awaited(self) -> bool:
        """Whether anybody waits; asked without the lock, since most calls find nobody."""
        return bool(self._waiting)

    def watch(self, who: W) -> Change[W]:
        """Notice what changes from here on, in the name of somebody."""
        return Change(self, who)

    def tell(self) -> None:
        """Something has changed for all."""
        if self._waiting:
            with self._lock:
                self._wake(self._waiting)

    def tell_first(self, fits: Callable[[W], bool], together: Callable[[W], object]) -> None:
        """Something has changed for one: the first whom it `fits` and who was not told before.

        Args:
            fits: whether somebody can do with it.
            together: those for whom this is the same are told at once; of one alone, it is itself.
        """
        with self._lock:
            able = (change for change in self._waiting if not change.told and change.loop.is_running())
            first = next((change for change in able if fits(change.who)), None)
            if first is None:
                return
            alike = together(first.who)
            alone = alike is first.who
            self._wake([first] if alone else [c for c in self._waiting if together(c.who) == alike])

    def _wake(self, changes: Iterable[Change[W]]) -> None:
        for change in changes:
            change.told = True
            with suppress(RuntimeError):  # its loop is closed
                change.loop.call_soon_threadsafe(change.event.set)


class Change(Generic[W]):
    """The next change, for one who waits on the running loop; leaving the `with` ends the watch.

    Attributes:
        who: waits.
        told: has something to look at.
    """

    def __init__(self, changes: Changes[W], who: W) -> None:
        self._changes = changes
        self.who = who
        self.told = False
        self.event = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def __enter__(self) -> Change[W]:
        with self._changes._lock:
            self._changes._waiting[self] = None
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._changes._lock:
            self._changes._waiting.pop(self, None)

    @property
    def is_first(self) -> bool:
        """Whether nobody has waited longer, on a loop that runs."""
        with self._changes._lock:
            return next((change for change in self._changes._waiting if change.loop.is_running()), None) is self

    async def comes(self, seconds: float | None) -> None:
        """Wait for it, for so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.event.wait()
        self.event.clear()
        self.told = False
