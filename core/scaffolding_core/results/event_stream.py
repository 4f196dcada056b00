"""A queue of events from the driver to one reader, in any thread or on any loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from scaffolding_core.results.events import Event, TokenEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

__all__ = ["LOOK_AGAIN", "EventStream"]

LOOK_AGAIN = 0.5
"""Seconds after which whoever waits looks whether the request's event loop still stands."""


class EventStream:
    """Events of one request, for one reader, by `for` or `async for`.

    The queue is unbounded, but text waits in one piece for each branch, so a slow reader holds no more
    events than there are branches and samples.

    Args:
        before_blocking: raises where a blocking read would never end.
        look: closes the stream if nobody is left who would; called now and then while a reader waits.
    """

    def __init__(self, before_blocking: Callable[[], None], look: Callable[[], None]) -> None:
        self._before_blocking = before_blocking
        self._look = look
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._events: deque[Event | list[TokenEvent]] = deque()
        self._open_text: dict[tuple[int, ...], list[TokenEvent]] = {}
        self._reader: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._closed = False
        self._raise_error: Callable[[], None] = lambda: None

    def push(self, event: Event) -> None:
        """Append an event."""
        with self._lock:
            if not isinstance(event, TokenEvent):
                self._open_text.clear()  # text never moves behind an event that came after it
                self._events.append(event)
            elif event.branch in self._open_text:
                self._open_text[event.branch].append(event)
                return
            else:
                self._open_text[event.branch] = [event]
                self._events.append(self._open_text[event.branch])
            self._wake()

    def close(self, raise_error: Callable[[], None]) -> None:
        """End the stream; `raise_error` raises for the reader what the request failed with, if it did."""
        with self._lock:
            self._closed = True
            self._raise_error = raise_error
            self._wake()

    def leave_to_parent(self) -> None:
        """In the child of a fork: wait for no thread that holds a lock, and wake no loop, that is not here."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._reader = None

    def __iter__(self) -> Iterator[Event]:
        while True:
            with self._changed:
                event, closed = self._pop(), self._closed
                if event is None and not closed:
                    self._before_blocking()
                    self._changed.wait(LOOK_AGAIN)
            if event is not None:
                yield event
            elif closed:
                self._raise_error()
                return
            else:
                self._look()

    async def __aiter__(self) -> AsyncIterator[Event]:
        changed = asyncio.Event()
        with self._lock:
            self._reader = (asyncio.get_running_loop(), changed)
        while True:
            with self._lock:
                event = self._pop()
                changed.clear()
                if event is None and self._closed:
                    break
            if event is not None:
                yield event
                continue
            try:
                async with asyncio.timeout(LOOK_AGAIN):
                    await changed.wait()
            except TimeoutError:
                self._look()
        self._raise_error()

    def _pop(self) -> Event | None:
        if not self._events:
            return None
        event = self._events.popleft()
        if not isinstance(event, list):
            return event
        branch = event[0].branch
        if self._open_text.get(branch) is event:
            del self._open_text[branch]
        return _joined(event)

    def _wake(self) -> None:
        self._changed.notify_all()
        if self._reader is None:
            return
        loop, changed = self._reader
        if loop is asyncio._get_running_loop():
            changed.set()
            return
        with suppress(RuntimeError):  # the reader's loop is closed: nobody reads any more
            loop.call_soon_threadsafe(changed.set)


def _joined(pieces: list[TokenEvent]) -> TokenEvent:
    if len(pieces) == 1:
        return pieces[0]
    text = "".join(piece.text for piece in pieces)
    reasoning = "".join(piece.reasoning for piece in pieces)
    originals = tuple(original for piece in pieces for original in piece.originals)
    return TokenEvent(pieces[0].branch, text, reasoning, originals)
