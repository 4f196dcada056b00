"""Recorder: writes the trace of a request as its calls come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scaffolding_core.results import CallRecord, Ending, ExecutionTrace

if TYPE_CHECKING:
    from scaffolding_core.driver.call import Call

__all__ = ["Recorder"]


class Recorder:
    """Writes down each call of a request once it is over.

    Args:
        trace: where to.
        clock: in seconds.
    """

    def __init__(self, trace: ExecutionTrace, clock: Callable[[], float]) -> None:
        self._trace = trace
        self._clock = clock
        self._origin = clock()
        self._queued: dict[Call, float] = {}
        self._started: dict[Call, float] = {}

    def queued(self, call: Call) -> None:
        """The method asked for the call."""
        self._queued[call] = self._now()

    def started(self, call: Call) -> None:
        """The call has a slot."""
        self._started[call] = self._now()

    def ended(self, call: Call) -> None:
        """The call is over."""
        ending: Ending = "cut" if call.cut_off else "finished" if call.error is None else "failed"
        self._trace.calls.append(
            CallRecord(
                call.branch,
                type(call.task).__name__,
                type(call.worker).__name__ if call.worker is not None else "",
                self._queued.pop(call),
                self._started.pop(call, None),
                self._now(),
                ending,
                call.usage,
                str(call.error) if call.error is not None else None,
                call.task.hints,
            )
        )

    def _now(self) -> float:
        return self._clock() - self._origin
