"""Calls on clients whose connections belong to an event loop that is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

__all__ = ["again_if_loop_closed"]

T = TypeVar("T")

_ATTEMPTS = 128
"""More than the idle connections that a client keeps: each failure rids it of one."""


async def again_if_loop_closed(call: Callable[[], Awaitable[T]]) -> T:
    """Make an async call of a client, again each time it picks a connection of a closed event loop.

    Clients that a library shares between loops keep connections that die with theirs (`asyncio.run` twice
    is enough). Such a call fails before anything is sent, so nothing is paid for twice.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return await call()
        except Exception as error:
            if not any(_is_closed_loop(cause) for cause in _causes(error)):
                raise
    return await call()


def _is_closed_loop(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and str(error) == "Event loop is closed"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
