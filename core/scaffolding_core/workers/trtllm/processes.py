"""The processes of an engine: whoever waits for it is told when one ends."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

__all__ = ["Watch", "child_processes"]

_CHILDREN = Path("/proc/self/task")


def child_processes() -> frozenset[int]:
    """The ids of this process's children; none where the system does not tell."""
    found: set[int] = set()
    for listed in _CHILDREN.glob("*/children"):
        with suppress(OSError):  # a thread that has just ended, or a kernel that does not list them
            found.update(map(int, listed.read_text().split()))
    return frozenset(found)


class Watch:
    """Waits in a thread for the end of one of several processes.

    Args:
        processes: their ids; none on a system that cannot watch them.
        ended: called once, in that thread.
    """

    def __init__(self, processes: Collection[int], ended: Callable[[], None]) -> None:
        self._ended = ended
        self._files: list[int] = []
        for process in processes if hasattr(os, "pidfd_open") else ():
            with suppress(ProcessLookupError):  # it has ended, and was no part of the engine
                self._files.append(os.pidfd_open(process))
        self._stop: int | None = None
        if self._files:
            stopped, self._stop = os.pipe()
            threading.Thread(target=self._wait, args=(stopped,), name="engine-watch", daemon=True).start()

    def close(self) -> None:
        """Watch no longer."""
        stop, self._stop = self._stop, None
        if stop is not None:
            os.close(stop)

    def _wait(self, stopped: int) -> None:
        poll = select.poll()
        for file in (*self._files, stopped):
            poll.register(file, select.POLLIN | select.POLLHUP)
        ready = {file for file, _ in poll.poll()}
        for file in (*self._files, stopped):
            os.close(file)
        if stopped not in ready:
            self._ended()
