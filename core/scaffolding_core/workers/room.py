"""Room: the tokens of a shared context that running samples hold, and the queue for them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque

__all__ = ["Room", "Share"]


class Share:
    """A part of the room, held or waited for."""

    def __init__(self, tokens: int, loop: asyncio.AbstractEventLoop) -> None:
        self.tokens = tokens
        self.loop = loop
        self.granted: asyncio.Future[None] = loop.create_future()


class Room:
    """Tokens that are handed out over all event loops, first come, first served.

    Args:
        size: tokens there are; whoever asks for more gets the whole room.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._held: set[Share] = set()
        self._queue: deque[Share] = deque()

    async def take(self, tokens: int) -> Share:
        """Wait until there is room, and hold it until `give_back`."""
        share = Share(min(tokens, self.size), asyncio.get_running_loop())
        with self._of_this_process():
            self._queue.append(share)
            self._grant()
        try:
            await share.granted
        except asyncio.CancelledError:
            self.give_back(share)
            raise
        return share

    def give_back(self, share: Share) -> None:
        """Hold it no longer, or wait for it no longer."""
        with self._of_this_process():
            if share in self._held:
                self._held.remove(share)
            elif share in self._queue:
                self._queue.remove(share)
            self._grant()

    def _grant(self) -> None:
        self._held = {share for share in self._held if not share.loop.is_closed()}
        taken = sum(share.tokens for share in self._held)
        while self._queue and (self._queue[0].loop.is_closed() or taken + self._queue[0].tokens <= self.size):
            share = self._queue.popleft()
            if not share.loop.is_closed():
                taken += share.tokens
                self._held.add(share)
                share.loop.call_soon_threadsafe(_tell, share.granted)

    def _of_this_process(self) -> threading.Lock:
        if self._process != os.getpid():
            self.__init__(self.size)  # type: ignore[misc]  # what the parent holds is not ours
        return self._lock


def _tell(granted: asyncio.Future[None]) -> None:
    if not granted.done():
        granted.set_result(None)
