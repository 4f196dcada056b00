"""Connections that closed event loops have left in the clients of other libraries."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import suppress
from weakref import WeakSet

__all__ = ["drop_dead_connections"]

_cleared_for: WeakSet[asyncio.AbstractEventLoop] = WeakSet()
"""Loops on which calls were made, since the last of them was closed."""
_lock = threading.Lock()


def drop_dead_connections() -> None:
    """Close what loops that are closed have left open, so that no client sends anything on it.

    Clients that a library shares between loops (`asyncio.run` twice is enough) keep idle connections for longer
    than their loops live. Those still send, but never hear the answer, so what was asked is paid for and lost.
    Once closed, a client sees that they are, and opens others.

    Cost: at the first call on each loop, and after another one was closed, a look at all objects of the process,
    some 15 ms for 200,000 of them.
    """
    running = asyncio.get_running_loop()
    with _lock:
        closed = [loop for loop in _cleared_for if loop.is_closed()]
        if running in _cleared_for and not closed:
            return
        _cleared_for.difference_update(closed)
        _cleared_for.add(running)
    for transport in gc.get_referrers(*_kinds_of(asyncio.Transport)):
        loop = getattr(transport, "_loop", None)
        if isinstance(transport, asyncio.Transport) and loop is not None and loop.is_closed():
            _close(transport)


def _kinds_of(kind: type) -> Iterator[type]:
    each: type
    for each in kind.__subclasses__():
        yield each
        yield from _kinds_of(each)


def _close(transport: asyncio.Transport) -> None:
    with suppress(RuntimeError):  # it is marked as closing, and leaves the rest to its loop
        transport.close()
    hang_up = getattr(transport, "_call_connection_lost", None)  # the rest
    if hang_up is not None:
        with suppress(Exception):  # what its protocol may raise, without its loop
            hang_up(None)
