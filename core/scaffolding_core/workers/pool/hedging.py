"""Hedging: a second replica is asked if the first does not begin, and whichever begins first goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from scaffolding_core.workers.pool.run import Run

__all__ = ["Hedged"]

_LOOK_AGAIN = 1.0
"""Seconds until it is seen whether another replica has become idle."""


class Hedged:
    """One or two runs of a call.

    Args:
        first: is asked at once.
        start: starts a run at its replica, as a coroutine.
        second: makes the run that is asked too; None if no replica is idle.
        after: seconds without a first token until then; None for never.
        began: is told of the run that begins first.

    Attributes:
        leader: the run that began first; None while none has.
    """

    def __init__(
        self,
        first: Run,
        start: Callable[[Run], asyncio.Task[None]],
        second: Callable[[], Run | None],
        after: float | None,
        began: Callable[[Run], None],
    ) -> None:
        self._first = first
        self._start = start
        self._second = second
        self._after = after
        self._began = began
        self._runs: dict[asyncio.Task[None], Run] = {}
        self.leader: Run | None = None

    async def answer(self) -> None:
        """Have the call answered, by the `leader`. No run goes on when this ends, however it does.

        Raises:
            BaseException: the last run that was left failed.
        """
        self._add(self._first)
        wait = self._after
        try:
            while True:
                done, _ = await asyncio.wait(
                    self._runs, timeout=wait if self._may_hedge else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    run = self._runs.pop(task)
                    if self.leader not in (None, run):
                        continue  # it was cut
                    error = asyncio.CancelledError() if task.cancelled() else task.exception()
                    if error is None:
                        self._lead(run)
                        return
                    if not self._runs or run is self.leader:
                        raise error
                if not done and self._may_hedge:
                    second = self._second()
                    if second is not None:
                        self._add(second)
                    wait = _LOOK_AGAIN
        finally:
            await self._end()

    @property
    def _may_hedge(self) -> bool:
        return self.leader is None and len(self._runs) == 1 and self._after is not None

    def _add(self, run: Run) -> None:
        run.on_begin = lambda: self._begins(run)
        self._runs[self._start(run)] = run

    def _begins(self, run: Run) -> bool:
        """The first that begins leads, and the other is cut."""
        if self.leader is None:
            self._lead(run)
            self._began(run)
            for task, other in self._runs.items():
                if other is not run:
                    task.cancel()
        return self.leader is run

    def _lead(self, run: Run) -> None:
        self.leader = run
        if run is not self._first:
            self._first.overtaken_after(self._after)

    async def _end(self) -> None:
        for task in self._runs:
            task.cancel()
        if self._runs:
            await asyncio.wait(self._runs)
        for task in self._runs:
            if not task.cancelled():
                task.exception()  # else asyncio complains that nobody looked at it
