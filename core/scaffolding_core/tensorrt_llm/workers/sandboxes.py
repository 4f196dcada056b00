"""Sandboxes: the connections of the execution scopes that run, at most so many at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from scaffolding_core.errors import BackendTimeoutError, ClosedError, InvalidRequestError
from scaffolding_core.workers.mcp import Connection

__all__ = ["Sandboxes"]


class Sandboxes:
    """One connection for each execution scope, kept until the scope ends, on one event loop.

    Args:
        most: connections at once; further scopes wait.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: dict[str, Connection] = {}
        self._waiting: Counter[str] = Counter()
        self._change = asyncio.Event()
        self._left = False

    async def of(self, scope_id: str, connect: Callable[[], Connection], deadline: float) -> Connection:
        """The connection of a scope, a new one where it has none that works.

        Args:
            scope_id: of the scope.
            connect: makes a connection.
            deadline: on the running loop's clock.

        Raises:
            BackendTimeoutError: no scope has ended in time.
            InvalidRequestError: none ever will, since each waits for a scope below it, which waits here.
            ClosedError: they were closed.
        """
        if not self._has_room(scope_id):
            await self._until_room(scope_id, deadline)
        held = self._held.get(scope_id)
        if held is None or held.is_over:
            held = self._held[scope_id] = connect()
        return held

    def _has_room(self, scope_id: str) -> bool:
        return scope_id in self._held or len(self._held) < self.most

    async def _until_room(self, scope_id: str, deadline: float) -> None:
        self._waiting[scope_id] += 1
        try:
            if all(self._waits_below(held) for held in self._held):
                raise InvalidRequestError(
                    f"all {self.most} connections belong to scopes that wait for others below them to get one: "
                    "raise max_connections"
                )
            async with asyncio.timeout_at(deadline):
                while not self._has_room(scope_id):
                    await self._change.wait()
                    if self._left:
                        raise ClosedError("the connections of this event loop were closed")
        except TimeoutError:
            raise BackendTimeoutError(
                f"none of {self.most} connections was given back in time: raise max_connections, or allow more"
            ) from None
        finally:
            self._waiting -= Counter([scope_id])

    def _waits_below(self, scope_id: str) -> bool:
        """Whether a branch of the scope waits for a connection."""
        branches = (f"{scope_id}:", f"{scope_id}.")
        return any(waiting.startswith(branches) for waiting in self._waiting)

    async def end(self, scope_id: str) -> None:
        """Close the connection of a scope, if it has one, and let another scope have one."""
        held = self._held.pop(scope_id, None)
        if held is not None:
            self._tell()
            await held.close()

    def _tell(self) -> None:
        """Let those who wait look again."""
        self._change.set()
        self._change = asyncio.Event()

    async def close(self) -> None:
        """Close all connections; who waits for one is told."""
        self.leave()
        await asyncio.gather(*(held.close() for held in self._held.values()))

    def leave(self) -> None:
        """Close all connections soon; who waits for one is told."""
        self._left = True
        self._tell()
        for held in self._held.values():
            held.leave()
