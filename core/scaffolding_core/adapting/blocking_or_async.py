"""Calls of foreign things, which have a blocking form, an async form, or both.

Under a blocking call of ours the blocking form is called, in a thread with the caller's context; under an async
one the async form, on the caller's loop, since clients bind to the loop that they started on. Where there is one
form alone, that is called.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, closing
from typing import Any, TypeAlias, cast

from scaffolding_core.adapting.closed_loops import drop_dead_connections
from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import called_synchronously
from scaffolding_core.workers.function import is_async

__all__ = ["call_function", "read_either", "run_either"]

# Any: foreign things, whose arguments and results have no common type.
Blocking: TypeAlias = Callable[..., Any]
Async: TypeAlias = Callable[..., Awaitable[Any]]
Stream: TypeAlias = Callable[..., Iterator[Any]]
AsyncStream: TypeAlias = Callable[..., AsyncIterator[Any] | Awaitable[AsyncIterator[Any]]]


async def run_either(blocking: Blocking | None, asynchronous: Async | None, /, *args: Any, **kwargs: Any) -> Any:
    """The result of a call, by the form that fits the caller.

    Args:
        blocking: the one form; None where there is none.
        asynchronous: the other.
        args: of the call.
        kwargs: of the call.
    """
    if blocking is None or _takes_async(asynchronous):
        assert asynchronous is not None
        drop_dead_connections()
        return await asynchronous(*args, **kwargs)
    return await run_in_thread(blocking, *args, **kwargs)


async def call_function(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """The result of a function: one that is async runs on the loop, any other in a thread."""
    if is_async(function):
        drop_dead_connections()
        return await function(*args, **kwargs)
    return await run_in_thread(function, *args, **kwargs)


async def read_either(
    blocking: Stream,
    asynchronous: AsyncStream | None,
    take: Callable[[Any], None],
    *args: Any,
    **kwargs: Any,
) -> None:
    """Read a stream to its end, by the form that fits the caller.

    A cut closes an async stream at once; a blocking one stops at its next piece, which nobody sees.

    Args:
        blocking: the one form.
        asynchronous: the other, which may have to be awaited for its stream; None where there is none.
        take: gets each piece, in the thread that reads.
        args: of the call.
        kwargs: of the call.
    """
    if _takes_async(asynchronous):
        assert asynchronous is not None
        drop_dead_connections()
        begun = asynchronous(*args, **kwargs)
        await _aread(await begun if inspect.isawaitable(begun) else begun, take)
        return
    stopped = threading.Event()
    try:
        await run_in_thread(lambda: _read(blocking(*args, **kwargs), take, stopped))
    finally:
        stopped.set()


def _takes_async(asynchronous: object) -> bool:
    return asynchronous is not None and not called_synchronously.get()


def _read(pieces: Iterator[Any], take: Callable[[Any], None], stopped: threading.Event) -> None:
    with closing(cast("Any", pieces)):  # libraries type their generators as iterators
        for piece in pieces:
            if stopped.is_set():
                return
            take(piece)


async def _aread(pieces: AsyncIterator[Any], take: Callable[[Any], None]) -> None:
    async with aclosing(cast("Any", pieces)):
        async for piece in pieces:
            _raise_if_cut()
            take(piece)


def _raise_if_cut() -> None:
    """Raise what was swallowed: `asyncio.wait_for`, before Python 3.12, loses a cut in the tick of a piece."""
    running = asyncio.current_task()
    if running is not None and running.cancelling():
        raise asyncio.CancelledError
