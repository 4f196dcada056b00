"""Lane: a bounded number of slots, over all event loops, and the queue for them."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from scaffolding_core.driver.driver import Driver

__all__ = ["Lane", "Waiter"]

PLACES_PER_PRIORITY = 64
"""How many places a point of priority jumps: bounded, so that nothing starves."""


class Waiter(Protocol):
    """What can wait for a slot.

    Attributes:
        queued: it waits in the queue; the lane alone changes it.
    """

    queued: bool

    @property
    def driver(self) -> Driver:
        """Of its loop."""

    @property
    def priority(self) -> int:
        """Higher goes first."""

    @property
    def blocked(self) -> Driver | None:
        """Driver of a loop that waits for it, blocked."""

    def granted(self) -> None:
        """The slot that it queued for is its own; called on its driver's loop."""


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
        self._order = itertools.count()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.limit,)  # a worker that goes elsewhere has its slots free there

    def acquire(self, waiter: Waiter) -> bool:
        """Take a slot, or queue: then the waiter is told once a slot is its own."""
        with self._lock:
            if self._taken < self.limit or self._taken - self._stuck(waiter) < self.limit:
                self._taken += 1
                self._taken_by[waiter.driver] += 1
                return True
            order = next(self._order)
            waiter.queued = True
            heapq.heappush(self._queue, (order - waiter.priority * PLACES_PER_PRIORITY, order, waiter))
            return False

    def withdraw(self, waiter: Waiter) -> bool:
        """Leave the queue; False if a slot was handed over already."""
        with self._lock:
            was_queued, waiter.queued = waiter.queued, False
            return was_queued

    def release(self, driver: Driver) -> None:
        """Give a slot back; the next in the queue gets it."""
        with self._lock:
            if not self._taken_by[driver]:  # it was swept with its loop
                return
            self._taken -= 1
            self._taken_by[driver] -= 1
            granted = self._grant() if self._queue else None
        if granted is not None:
            granted.driver.call_from_anywhere(granted.granted)

    def forget(self, driver: Driver) -> None:
        """Free all that a dead loop's driver holds or waits for."""
        granted = []
        with self._lock:
            self._taken -= self._taken_by.pop(driver, 0)
            for *_, waiter in self._queue:
                if waiter.driver is driver:
                    waiter.queued = False
            while (waiter := self._grant()) is not None:
                granted.append(waiter)
        for waiter in granted:
            waiter.driver.call_from_anywhere(waiter.granted)

    def reset(self) -> None:
        """Start afresh, in a forked child: what the parent holds is not ours."""
        self.__init__(self.limit)  # type: ignore[misc]  # the lock may be held by a thread that is gone

    def _stuck(self, waiter: Waiter) -> int:
        """Slots that cannot come free before the waiter is through, since it blocks their loop."""
        return self._taken_by[waiter.blocked] if waiter.blocked is not None else 0

    def _grant(self) -> Waiter | None:
        while self._queue and self._taken < self.limit:
            waiter = heapq.heappop(self._queue)[2]
            if not waiter.queued:
                continue  # it left
            waiter.queued = False
            if waiter.driver.loop.is_closed():
                continue  # swept with its driver
            self._taken += 1
            self._taken_by[waiter.driver] += 1
            return waiter
        return None
