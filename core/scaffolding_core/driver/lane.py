"""Lane: a bounded number of slots, over all event loops, and the queue for them."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from scaffolding_core.driver.item import Item

if TYPE_CHECKING:
    from scaffolding_core.driver.driver import Driver

__all__ = ["Lane", "Waiter"]

PLACES_PER_PRIORITY = 64
"""How many places a point of priority jumps: bounded, so that nothing starves."""


class Waiter(Item, Protocol):
    """What can wait for a slot; it is posted to its driver once it has one."""

    @property
    def driver(self) -> Driver:
        """Of its loop."""

    @property
    def priority(self) -> int:
        """Higher goes first."""

    @property
    def blocked(self) -> Driver | None:
        """Driver of a loop that waits for it, blocked."""


class Lane:
    """Slots of one worker, or of a `ScaffoldingLlm` for its requests.

    First come, first served within a priority.

    Args:
        limit: slots, over all loops.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._taken = 0
        self._taken_by: Counter[Driver] = Counter()
        self._queue: list[tuple[int, int, Waiter]] = []
        self._waiting: set[Waiter] = set()
        self._order = itertools.count()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.limit,)  # a worker that goes elsewhere has its slots free there

    def acquire(self, waiter: Waiter) -> bool:
        """Take a slot, or queue: then the waiter is posted to its driver once a slot is its own."""
        blocked = waiter.blocked
        with self._lock:
            # Slots of a loop that this very call blocks cannot come free before it returns.
            stuck = self._taken_by.get(blocked, 0) if blocked is not None else 0
            if self._taken - stuck < self.limit:
                self._taken += 1
                self._taken_by[waiter.driver] += 1
                return True
            order = next(self._order)
            heapq.heappush(self._queue, (order - waiter.priority * PLACES_PER_PRIORITY, order, waiter))
            self._waiting.add(waiter)
            return False

    def withdraw(self, waiter: Waiter) -> bool:
        """Leave the queue; False if a slot was handed over already."""
        with self._lock:
            if waiter not in self._waiting:
                return False
            self._waiting.discard(waiter)
            return True

    def release(self, driver: Driver) -> None:
        """Give a slot back; the next in the queue gets it."""
        with self._lock:
            if self._taken_by.get(driver):  # else it was swept with its loop
                self._taken -= 1
                self._taken_by[driver] -= 1
            granted = self._grant() if self._waiting else None
        if granted is not None:
            if granted.driver is driver:
                driver.post(granted)
            else:
                granted.driver.post_from_anywhere(granted)

    def forget(self, driver: Driver) -> None:
        """Free all that a dead loop's driver holds or waits for."""
        granted = []
        with self._lock:
            self._taken -= self._taken_by.pop(driver, 0)
            self._waiting = {waiter for waiter in self._waiting if waiter.driver is not driver}
            while (waiter := self._grant()) is not None:
                granted.append(waiter)
        for waiter in granted:
            waiter.driver.post_from_anywhere(waiter)

    def reset(self) -> None:
        """Start afresh, in a forked child: what the parent holds is not ours."""
        self.__init__(self.limit)  # type: ignore[misc]  # the lock may be held by a thread that is gone

    def _grant(self) -> Waiter | None:
        while self._queue and self._taken < self.limit:
            waiter = heapq.heappop(self._queue)[2]
            if waiter not in self._waiting:
                continue
            self._waiting.discard(waiter)
            if waiter.driver.loop.is_closed():
                continue  # swept with its driver
            self._taken += 1
            self._taken_by[waiter.driver] += 1
            return waiter
        return None
