"""Lane: a bounded number of slots, over all event loops, and the queue for them."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from scaffolding_core.driver.driver import Driver

__all__ = ["Lane", "Waiter"]

PLACES_PER_PRIORITY = 64
"""How many places a point of priority jumps: bounded, so that nothing starves."""


class Waiter(Protocol):
    """What can wait for a slot.

    Attributes:
        place: in the queue, -1 where it waits in none; the lane alone changes it.
    """

    place: int

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
        self._taken_by: dict[Driver, int] = {}
        self._row: deque[Waiter] = deque()  # those of no priority, by place
        self._jumping: list[tuple[int, int, Waiter]] = []  # the others: a heap, by the place that they jump to
        self._places = itertools.count()
        _all.add(self)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.limit,)  # a worker that goes elsewhere has its slots free there

    def acquire(self, waiter: Waiter) -> bool:
        """Take a slot, or queue: then the waiter is told once a slot is its own."""
        driver = waiter.driver
        self._lock.acquire()  # a `with` costs twice what the lock does
        try:
            if self._taken < self.limit or self._taken - self._stuck(waiter) < self.limit:
                self._taken += 1
                self._taken_by[driver] = self._taken_by.get(driver, 0) + 1
                return True
            place = waiter.place = next(self._places)
            priority = waiter.priority
            if priority:
                heapq.heappush(self._jumping, (place - priority * PLACES_PER_PRIORITY, place, waiter))
            else:
                self._row.append(waiter)
            return False
        finally:
            self._lock.release()

    def withdraw(self, waiter: Waiter) -> bool:
        """Leave the queue; False if a slot was handed over already."""
        with self._lock:
            place, waiter.place = waiter.place, -1
            return place >= 0

    def release(self, driver: Driver) -> None:
        """Give a slot back; the next in the queue gets it."""
        self._lock.acquire()
        try:
            held = self._taken_by.get(driver)
            if held is None:  # it was swept with its loop
                return
            follower = self._next() if (self._row or self._jumping) and self._taken <= self.limit else None
            if follower is None or follower.driver is not driver:
                if held > 1:
                    self._taken_by[driver] = held - 1
                else:  # a worker that lives on must not keep the driver of a loop that is gone
                    del self._taken_by[driver]
                if follower is None:
                    self._taken -= 1
                    return
                self._taken_by[follower.driver] = self._taken_by.get(follower.driver, 0) + 1
        finally:
            self._lock.release()
        _tell(follower, driver)

    def forget(self, driver: Driver) -> None:
        """Free all that a dead loop's driver holds or waits for."""
        granted = []
        with self._lock:
            self._taken -= self._taken_by.pop(driver, 0)
            for waiter in (*self._row, *(waiter for *_, waiter in self._jumping)):
                if waiter.driver is driver:
                    waiter.place = -1
            while self._taken < self.limit and (follower := self._next()) is not None:
                self._taken += 1
                self._taken_by[follower.driver] = self._taken_by.get(follower.driver, 0) + 1
                granted.append(follower)
        for waiter in granted:
            _tell(waiter, driver)

    def leave_to_parent(self) -> None:
        """Start afresh, in the child of a fork: what the parent holds is not ours."""
        self.__init__(self.limit)  # type: ignore[misc]  # the lock may be held by a thread that is gone

    def _stuck(self, waiter: Waiter) -> int:
        """Slots that cannot come free before the waiter is through, since it blocks their loop."""
        return self._taken_by.get(waiter.blocked, 0) if waiter.blocked is not None else 0

    def _next(self) -> Waiter | None:
        """Take the first that still waits out of the queue."""
        while self._row or self._jumping:
            if not self._row or (self._jumping and self._jumping[0][0] < self._row[0].place):
                waiter = heapq.heappop(self._jumping)[2]
            else:
                waiter = self._row.popleft()
            if waiter.place < 0:
                continue  # it left
            waiter.place = -1
            if not waiter.driver.loop.is_closed():  # else it was swept with its driver
                return waiter
        return None


_all: WeakSet[Lane] = WeakSet()


def _leave_all_to_parent() -> None:
    for lane in list(_all):
        lane.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)


def _tell(granted: Waiter, driver: Driver) -> None:
    if granted.driver is driver:
        granted.granted()
    else:
        granted.driver.call_from_anywhere(granted.granted)
