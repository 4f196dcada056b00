"""Call: one task on its worker."""

from __future__ import annotations

import asyncio
from types import CoroutineType
from typing import TYPE_CHECKING

from scaffolding_core.errors import (
    ControllerError,
    ScaffoldingError,
    UnsupportedTaskError,
    WorkerError,
)
from scaffolding_core.events import TokenEvent
from scaffolding_core.task import Delta, StreamGenerationTask, Task, TaskStatus
from scaffolding_core.usage import Usage
from scaffolding_core.worker import typed_error

if TYPE_CHECKING:
    from scaffolding_core.driver.branch import Branch, RaceRun
    from scaffolding_core.driver.driver import Driver
    from scaffolding_core.driver.lane import Lane
    from scaffolding_core.driver.request import Request
    from scaffolding_core.worker import Worker

__all__ = ["GRACE", "Call"]

GRACE = 1.0
"""Seconds that a cut call has to unwind before its request goes on without it."""


class Call:
    """One task on its worker; the `Scope` of that task while it runs.

    Its life: launched by its branch, perhaps queued, run as an asyncio task, settled in the driver.
    """

    __slots__ = (
        "cut_off",
        "detached",
        "driver",
        "error",
        "grace",
        "index",
        "lane",
        "parent",
        "path",
        "queued",
        "race",
        "request",
        "run",
        "stopped_by",
        "task",
        "usage",
        "value",
        "worker",
    )

    def __init__(
        self, request: Request, parent: Branch, task: Task, index: int, path: int | None, race: RaceRun | None
    ) -> None:
        self.request = request
        self.driver: Driver = request.driver
        self.parent = parent
        self.task = task
        self.value: Task = task
        self.index = index
        self.path = path
        self.race = race
        self.worker: Worker | None = None
        self.lane: Lane | None = None
        self.run: asyncio.Task[TaskStatus | None] | None = None
        self.error: BaseException | None = None
        self.usage: Usage | None = None
        self.grace: asyncio.TimerHandle | None = None
        self.queued = False
        self.cut_off = False
        self.stopped_by: BaseException | None = None
        self.detached = False

    # As a `Scope`, for workers.

    @property
    def request_id(self) -> int:
        """Number of the request."""
        return self.request.id

    @property
    def branch(self) -> tuple[int, ...]:
        """Path of the branch."""
        return self.parent.branch if self.path is None else (*self.parent.branch, self.path)

    @property
    def deadline(self) -> float | None:
        """When the request ends at the latest."""
        return self.request.deadline

    @property
    def listening(self) -> bool:
        """Whether anybody listens."""
        return self.request.result.listened_to

    def emit(self, delta: Delta) -> None:
        """Hand on a piece of the answer."""
        if self.cut_off or not self.listening:
            return
        self.request.result.push(TokenEvent(self.branch, delta.text, delta.reasoning))

    # As a `Waiter`, for the lane.

    @property
    def priority(self) -> int:
        """The request's."""
        return self.request.priority

    @property
    def blocked(self) -> Driver | None:
        """The driver whose loop waits for this request, blocked."""
        return self.request.blocked

    def launch(self) -> None:
        """Start, or queue for a slot."""
        if self.request.recorder is not None:
            self.request.recorder.queued(self)
        try:
            if self.task.scope is not None:
                raise ControllerError("a task may run only once at a time: yield a copy() of it")
            if self.task.needs_worker:  # what a method computes itself must work, or there were no best answer
                self.request.allow(self.task)
            self.worker, self.lane = self.driver.worker_for(self.task)
        except ScaffoldingError as error:
            self._fail(error)
            return
        task = self.task
        task.scope = self
        task.error = None
        if not task.goes_on:
            task.usage = None  # a task that runs again pays again
        if task.needs_worker:
            self.request.calls.add(self)
        if self.lane.acquire(self):
            self._start()
        else:
            self.queued = True

    def advance(self) -> Branch | None:
        """Go on after a wait: start with the slot that came free, or settle what ended."""
        if self.queued and not self.cut_off:
            self.queued = False
            self._start()
            return None
        return self._settle()

    def cut(self) -> None:
        """Stop it, at the backend too; it reports to its branch once it has unwound."""
        self.stop(None)

    def stop(self, error: BaseException | None) -> None:
        """Cut it; with an error, it fails with that instead of being cut."""
        if self.cut_off or (self.run is not None and self.run.done()):
            return
        if self.run is not None:
            self.cut_off, self.stopped_by = True, error
            self.run.cancel()
            self.grace = self.driver.loop.call_later(GRACE, self._detach)
        elif self.queued:
            self.cut_off, self.stopped_by = True, error
            assert self.lane is not None
            if self.lane.withdraw(self):  # else it was handed a slot, and a post that settles it
                self.lane = None
                self.driver.post(self)

    def _start(self) -> None:
        assert self.worker is not None
        around = self.request.around
        running = self.worker.run_task(self.task) if around is None else around(self.worker, self.task)
        if not isinstance(running, CoroutineType):
            self._fail(WorkerError(f"{type(self.worker).__name__}.run_task must be an 'async def'"))
            return
        if self.request.recorder is not None:
            self.request.recorder.started(self)
        self.run = self.driver.loop.create_task(running)
        self.run.add_done_callback(self._ended, context=self.driver.empty_context)

    def _ended(self, run: asyncio.Task[TaskStatus | None]) -> None:
        if self.detached:
            self.driver.detached.discard(run)
            self._free()
            if not run.cancelled():
                run.exception()
            return
        self.driver.post(self)

    def _fail(self, error: BaseException) -> None:
        self.error = error
        self.driver.post(self)

    def _detach(self) -> None:
        assert self.run is not None
        if not self.run.done():
            self.detached = True
            self.driver.detached.add(self.run)
            self.driver.post(self)

    def _free(self) -> None:
        if self.lane is not None:
            self.lane.release(self.driver)
            self.lane = None

    def _settle(self) -> Branch | None:
        if self.grace is not None:
            self.grace.cancel()
        if self.run is not None and not self.detached:
            self._read(self.run)
        if not self.detached:
            self._free()
        if self.cut_off and self.stopped_by is not None:
            self.cut_off, self.error = False, self.stopped_by
        task, request = self.task, self.request
        request.calls.discard(self)
        if task.scope is self:
            task.scope = None
        if self.run is not None:
            self._charge()
        if self.error is not None:
            self._describe(self.error)
        if request.recorder is not None:
            request.recorder.ended(self)
        if task.goes_on and isinstance(task, StreamGenerationTask):
            request.keep_stream(task)
        return self.parent.child_done(self)

    def _charge(self) -> None:
        task = self.task
        told: object = task.usage
        if told is not None and not isinstance(told, Usage):
            described = f"set the task's usage to {told!r}: it must be a Usage"
            self.error, task.usage = WorkerError(f"{type(self.worker).__name__} {described}"), None
        if task.usage is None and (self.cut_off or self.error is not None):
            task.usage = Usage(calls=1, lost_calls=1)
        if task.usage is not None:
            self.usage = self.request.charge(task)

    def _read(self, run: asyncio.Task[TaskStatus | None]) -> None:
        """Take over how the asyncio task ended."""
        if run.cancelled():
            if not self.cut_off:
                self.error = self._cancelled_by_itself(run)
            return
        error = run.exception()
        if error is None:
            self.cut_off = False  # it had ended before the cut reached it: it is finished
            status = run.result()
            if status is not None and status is not TaskStatus.SUCCESS:
                self.error = self._from_status(status)
        elif not self.cut_off:
            self.error = typed_error(self.worker, error)

    def _cancelled_by_itself(self, run: asyncio.Task[TaskStatus | None]) -> BaseException:
        if run.cancelling():  # somebody outside cancelled it, and that can only be the loop's teardown
            self.driver.tear_down()
        return WorkerError(f"{type(self.worker).__name__} cancelled its own call")

    def _from_status(self, status: object) -> BaseException:
        name, kind = type(self.worker).__name__, type(self.task).__name__
        if status is TaskStatus.WORKER_NOT_SUPPORTED:
            return UnsupportedTaskError(f"{name} cannot run a {kind}")
        return WorkerError(f"{name} failed to run a {kind} ({status})")

    def _describe(self, error: BaseException) -> None:
        if isinstance(error, ScaffoldingError):
            error.task = self.task
            error.branch = self.branch
        if isinstance(error, Exception):
            self.task.error = error
