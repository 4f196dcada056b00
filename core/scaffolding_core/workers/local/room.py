"""Room: the slots and the tokens of a shared context that running requests hold, and the queue for them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from typing import NamedTuple, Protocol

__all__ = ["Need", "Room", "Share", "Tenant"]


class Need(NamedTuple):
    """What a request needs of the room: slots to write in, and tokens of context."""

    slots: int
    tokens: int


class Tenant(Protocol):
    """Who takes a share of the room."""

    def need(self) -> Need:
        """What it needs now: that may grow until it is let in, and shrink from then on."""

    def let_in(self) -> None:
        """Its share is its own."""


class Share:
    """A part of the room, held or waited for."""

    def __init__(self, tenant: Tenant, loop: asyncio.AbstractEventLoop) -> None:
        self.tenant = tenant
        self.loop = loop
        self.granted: asyncio.Future[None] = loop.create_future()


class Room:
    """Slots and tokens that are handed out over all event loops, first come, first served.

    Args:
        slots: there are.
        tokens: there are; whoever needs more of either gets all.
    """

    def __init__(self, slots: int, tokens: int) -> None:
        self.slots = slots
        self.tokens = tokens
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._held: set[Share] = set()
        self._queue: deque[Share] = deque()

    async def take(self, tenant: Tenant) -> Share:
        """Wait until there is room, and hold it until `give_back`."""
        share = Share(tenant, asyncio.get_running_loop())
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

    def look_again(self) -> None:
        """Somebody who holds a share needs less of it: let in who fits."""
        with self._of_this_process():
            self._grant()

    def _grant(self) -> None:
        self._held = {share for share in self._held if not share.loop.is_closed()}
        free = Need(self.slots, self.tokens)
        for share in self._held:
            free = self._without(free, share)
        while self._queue:
            share = self._queue[0]
            if not share.loop.is_closed():
                free = self._without(free, share)
                if min(free) < 0:
                    return
                self._held.add(share)
                share.tenant.let_in()
                share.loop.call_soon_threadsafe(_tell, share.granted)
            self._queue.popleft()

    def _without(self, free: Need, share: Share) -> Need:
        need = share.tenant.need()
        return Need(free.slots - min(need.slots, self.slots), free.tokens - min(need.tokens, self.tokens))

    def _of_this_process(self) -> threading.Lock:
        if self._process != os.getpid():
            self.__init__(self.slots, self.tokens)  # type: ignore[misc]  # what the parent holds is not ours
        return self._lock


def _tell(granted: asyncio.Future[None]) -> None:
    if not granted.done():
        granted.set_result(None)
