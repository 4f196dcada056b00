"""ProcessPool: a few worker processes that all who ask share, first come, first served."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Mapping

from scaffolding_core.answers.bounded_process import BoundedProcess
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import JsonValue
from scaffolding_core.threads import on_abandoned

__all__ = ["ProcessPool", "checked_timeout", "end_idle_processes", "shared_pool"]

SIZE = max(2, min(4, os.cpu_count() or 1))
"""Processes of a pool: about as many as there are cores, and two, so that one hostile question blocks no other."""


def checked_timeout(timeout: object) -> float:
    """Seconds that a question may take.

    Raises:
        InvalidRequestError: no number, or one that no clock can wait for.
    """
    number = timeout if isinstance(timeout, int | float) and not isinstance(timeout, bool) else 0
    if not 0 < number <= threading.TIMEOUT_MAX:
        raise InvalidRequestError(f"timeout must be a finite number of seconds above 0, got {timeout!r}")
    return number


class ProcessPool:
    """Answers questions in worker processes, each started when the others are busy.

    Who asks waits in one line for a process, and asks one question at a time: so however many questions a request
    has, the others wait for one of them. Safe to use from any thread, and after a fork.

    Args:
        module: is run with `python -m`; it must call `serve`.
        size: processes at most.
    """

    def __init__(self, module: str, size: int = SIZE) -> None:
        self.module = module
        self.size = size
        self._lock = threading.Lock()
        self._free: list[BoundedProcess] = []
        self._busy: set[BoundedProcess] = set()
        self._line: deque[_Place] = deque()
        _pools.add(self)

    @property
    def killed(self) -> int:
        """How often a process was killed for its time, crashed, or could not start."""
        with self._lock:
            return sum(process.killed for process in (*self._free, *self._busy))

    def ask(self, question: Mapping[str, JsonValue], timeout: float) -> JsonValue:
        """The answer, or None if there is none in time; blocks, so call it in a thread.

        Args:
            question: plain data.
            timeout: seconds, once a process is free and has started.

        Raises:
            Abandoned: nobody waits for this call any more.
        """
        process = self._take()
        try:
            return process.ask(question, timeout)
        finally:
            self._give_back(process)

    def end_idle(self) -> None:
        """End the processes that nobody asks at this moment; a later question starts another."""
        with self._lock:
            for process in self._free:
                process.end()

    def close(self) -> None:
        """End all processes; a question that is being asked has no answer."""
        self.end_idle()
        with self._lock:
            for process in self._busy:
                process.kill()

    def forget(self) -> None:
        """Leave the processes to whoever started them: for the child of a fork."""
        for process in (*self._free, *self._busy):
            process.forget()
        self.__init__(self.module, self.size)  # type: ignore[misc]  # the lock may be held by a thread that is gone

    def _take(self) -> BoundedProcess:
        """A process for this thread alone: the one used last, whose memory is warm."""
        with self._lock:
            if self._free or len(self._busy) < self.size:
                process = self._free.pop() if self._free else BoundedProcess(self.module)
                self._busy.add(process)
                return process
            place = _Place()
            self._line.append(place)
        try:
            with on_abandoned(place.event.set):
                place.event.wait()
        except BaseException:
            self._leave(place)
            raise
        assert place.process is not None
        return place.process

    def _leave(self, place: _Place) -> None:
        with self._lock:
            if place in self._line:
                self._line.remove(place)
        if place.process is not None:  # it was handed one just now
            self._give_back(place.process)

    def _give_back(self, process: BoundedProcess) -> None:
        with self._lock:
            if self._line:
                place = self._line.popleft()
                place.process = process
                place.event.set()
            elif process in self._busy:  # else a fork has been since
                self._busy.remove(process)
                self._free.append(process)


class _Place:
    """A place in the line for a process."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.process: BoundedProcess | None = None


def shared_pool(module: str) -> ProcessPool:
    """The one pool of this kind; its processes end with the last that keeps it, and with the program."""
    pool = _shared.get(module)
    return pool if pool is not None else _shared.setdefault(module, ProcessPool(module))


def end_idle_processes() -> None:
    """End the processes of all pools that nobody asks at this moment."""
    for pool in list(_pools):
        pool.end_idle()


def _close_all() -> None:
    for pool in list(_pools):
        pool.close()


atexit.register(_close_all)

_shared: weakref.WeakValueDictionary[str, ProcessPool] = weakref.WeakValueDictionary()
_pools: weakref.WeakSet[ProcessPool] = weakref.WeakSet()


def _forget_all() -> None:
    for pool in list(_pools):
        pool.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
