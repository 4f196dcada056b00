"""Turns: calls that are made again end in the order in which they ended before."""

from __future__ import annotations

import asyncio

from scaffolding_core.trace.past import Turn

__all__ = ["Turns"]


class Turns:
    """Lets the calls of each recorded request go one after another, in their order.

    The calls of one request are made on one event loop.
    """

    def __init__(self) -> None:
        self._ended: dict[int, int] = {}
        self._waiting: dict[int, dict[int, asyncio.Event]] = {}
        self._left: set[int] = set()

    async def come(self, turn: Turn, patience: float) -> bool:
        """Wait for a turn; one of a call that was cut never comes.

        Args:
            turn: to wait for.
            patience: seconds to wait while no other call of the request ends.

        Returns:
            Whether it came.
        """
        request, order = turn
        if request in self._left or (order is not None and order <= self._ended.get(request, 0)):
            return order is not None
        event = asyncio.Event()
        waiting = self._waiting.setdefault(request, {})
        if order is not None:
            waiting[order] = event
        while True:
            ended = self._ended.get(request, 0)
            try:
                async with asyncio.timeout(patience):
                    await event.wait()
                return True
            except TimeoutError:
                if event.is_set() or self._ended.get(request, 0) == ended:
                    return event.is_set()

    def over(self, turn: Turn) -> None:
        """The call of that turn has ended: the next may."""
        request = turn.request
        self._ended[request] = self._ended.get(request, 0) + 1
        following = self._waiting.get(request, {}).pop(self._ended[request], None)
        if following is not None:
            following.set()

    def leave(self, turn: Turn) -> None:
        """The request goes another way than it did: none of its calls waits any more."""
        self._left.add(turn.request)
        for event in self._waiting.pop(turn.request, {}).values():
            event.set()
