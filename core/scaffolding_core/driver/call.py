"""Call: one task on its worker."""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from types import CoroutineType
from typing import TYPE_CHECKING

from scaffolding_core.errors import (
    ClosedError,
    ControllerError,
    InvalidRequestError,
    ScaffoldingError,
    WorkerError,
)
from scaffolding_core.messages import Usage
from scaffolding_core.results import TokenEvent
from scaffolding_core.tasks import Delta, Task, run_in_steps
from scaffolding_core.worker import typed_error

if TYPE_CHECKING:
    from scaffolding_core.driver.branch import Branch, RaceRun
    from scaffolding_core.driver.driver import Driver
    from scaffolding_core.driver.lane import Lane
    from scaffolding_core.driver.request import Request
    from scaffolding_core.worker import Worker

__all__ = ["GRACE", "LAST_WORDS", "Call"]

GRACE = 1.0
"""Seconds that a cut call has to unwind before its request goes on without it."""

LAST_WORDS = 0.1
"""Seconds for whatever still runs when time is up: a method chooses among what is there, a cut call unwinds."""


class Call:
    """One task on its worker; the `Scope` of that task while it runs.

    Its life: launched by its branch, perhaps queued, run as an asyncio task, settled in the driver.
    """

    __slots__ = (
        "begun",
        "cut_off",
        "detached",
        "driver",
        "error",
        "grace",
        "index",
        "lane",
        "parent",
        "path",
        "place",
        "race",
        "raised",
        "request",
        "run",
        "stopped_by",
        "task",
        "usage",
        "value",
        "worker",
        "written",
    )

    def __deepcopy__(self, memo: object) -> Call:
        return self  # a copied task is of the same run

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
        self.place = -1
        self.run: asyncio.Task[None] | None = None
        self.begun = False
        self.raised: BaseException | None = None  # what the worker raised
        self.error: BaseException | None = None
        self.usage: Usage | None = None
        self.cut_off = False
        self.stopped_by: BaseException | None = None
        self.grace: asyncio.TimerHandle | None = None
        self.detached = False
        self.written = 0  # tokens, as far as it told before it was charged

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
    def answered(self) -> bool:
        """Whether its worker answered it, or part of it, as an agent's first steps."""
        if self.error is None:
            return self.task.needs_worker and not self.cut_off
        return self.usage is not None and self.usage.completion_tokens > 0

    @property
    def deadline(self) -> float | None:
        """When the request ends at the latest."""
        return self.request.deadline

    @property
    def listening(self) -> bool:
        """Whether anybody listens."""
        return self.request.state.listened_to

    @property
    def counts_tokens(self) -> bool:
        """Whether a budget of tokens runs."""
        return self.request.tokens is not None

    @property
    def may_be_cut(self) -> bool:
        """Whether the method, a deadline or a budget may stop it."""
        request = self.request
        if request.deadline is not None or request.tokens is not None or request.parent is not None:
            return True
        step: Call | Branch | None = self
        while step is not None:
            if step.race is not None and not step.race.race.all_needed:
                return True
            step = step.parent
        return False

    def emit(self, delta: Delta) -> None:
        """Hand on a piece of the answer."""
        if self.cut_off or not self.listening:
            return
        originals = () if delta.original is None else (delta.original,)
        self.request.state.push(TokenEvent(self.branch, delta.text, delta.reasoning, originals))

    def wrote(self, tokens: int) -> None:
        """So many tokens were written so far."""
        if self.request.tokens is None or self.cut_off or self.run is None or self.run.done():
            return
        self.request.expect(tokens - self.written)
        self.written = tokens

    # As a `Waiter`, for the lane.

    @property
    def priority(self) -> int:
        """The request's."""
        return self.request.priority

    @property
    def blocked(self) -> Driver | None:
        """The driver whose loop waits for this request, blocked."""
        return self.request.blocked

    def granted(self) -> None:
        """Start with the slot that came free, unless it is no longer wanted."""
        if self.cut_off or self.request.ending:
            self.cut_off = True
            self.driver.post(self)
        else:
            self.request.context.copy().run(self._start)

    # Its life.

    def launch(self) -> None:
        """Start, or queue for a slot; what stands in the way of that is what it fails with."""
        request, task = self.request, self.task
        if request.recorder is not None:
            request.recorder.queued(self)
        try:
            if task.scope is not None:
                raise ControllerError("a task may run only once at a time: yield a copy() of it")
            if request.limited:
                request.allow(task)
            self.worker, lane = request.roster.find(task)
        except Exception as error:
            self._refuse(error)
            return
        self.lane = lane
        task.scope = self
        task.error = None
        if not task.goes_on:
            task.usage = None  # a task that runs again pays again
        if lane.acquire(self):
            self._start()

    def cut(self) -> None:
        """Stop it, at the backend too; it reports to its branch once it has unwound."""
        self.stop(None)

    def stop(self, error: BaseException | None) -> None:
        """Cut it; with an error, it fails with that instead of being cut."""
        if self.cut_off:
            if self.grace is not None:
                self._limit_grace()
            return
        if self.run is None:
            if self.lane is None:
                return  # it could not be launched, and settles for that
            self.cut_off, self.stopped_by = True, error
            if self.lane.withdraw(self):  # else it was handed a slot, and settles when it is told so
                self.lane = None
                self.driver.post(self)
        elif not self.begun:
            self.cut_off, self.stopped_by = True, error
            self.run.cancel()
            self.driver.post(self)  # nothing of it will run, so nothing else would settle it
        elif not self.run.done():
            self.cut_off, self.stopped_by = True, error
            self.run.cancel()
            self._limit_grace()

    def _limit_grace(self) -> None:
        """Go on without it soon: sooner where time is up."""
        until = self.driver.loop.time() + (LAST_WORDS if self.request.time_is_up else GRACE)
        if self.grace is not None:
            if self.grace.when() <= until:
                return
            self.grace.cancel()
        self.grace = self.driver.loop.call_at(until, self._detach)

    def advance(self) -> Branch | None:
        """Settle what ended, and report to the branch."""
        task, request = self.task, self.request
        if self.written:
            request.expect(-self.written)
        try:
            self._settle()
        except Exception as error:  # what the worker left behind cannot be read
            self.cut_off, self.error = False, _unusable(self.worker, error)
            self._describe(self.error)
        if self.lane is not None and not self.detached:
            self.lane.release(self.driver)
        if task.scope is self:
            task.scope = None
        if request.recorder is not None:
            request.recorder.ended(self)
        return self.parent.child_done(self)

    def _settle(self) -> None:
        """Take over what the run has left, and say what became of the call."""
        task = self.task
        if self.run is not None:
            self._read()
            if task.usage is not None or (self.begun and (self.cut_off or self.error is not None)):
                self._charge()
        if self.cut_off and self.stopped_by is not None:
            self.cut_off, self.error = False, self.stopped_by
        if self.error is not None:
            self._describe(self.error)
        if run_in_steps(task):
            self.request.keep_stream(task)

    def _refuse(self, error: Exception) -> None:
        """It cannot start: it settles for that error."""
        if not isinstance(error, ScaffoldingError):
            cause, error = error, ControllerError(f"a {type(self.task).__name__} cannot be started: {error!r}")
            error.__cause__ = cause
        self.error = error
        self.driver.post(self)

    def _start(self) -> None:
        if self.request.recorder is not None:
            self.request.recorder.started(self)
        work = self._run()
        try:
            self.run = self.driver.create_task(work)
        except Exception as error:  # of the loop's own factory of tasks
            work.close()
            self._refuse(error)
            return
        if not self.begun:
            self.run.add_done_callback(self._never_begun)

    def _never_begun(self, run: asyncio.Task[None]) -> None:
        """It was cancelled before its first step, so that nothing of it ran."""
        if not self.cut_off:
            self.raised = asyncio.CancelledError()
            self.driver.post(self)

    async def _run(self) -> None:
        """Run the task; as its last act it posts itself, so that all else is done once it is really over."""
        self.begun = True
        if self.run is not None:
            self.run.remove_done_callback(self._never_begun)
        around, worker = self.request.around, self.worker
        assert worker is not None
        try:
            running = worker.run_task(self.task) if around is None else around(worker, self.task)
            if type(running) is not CoroutineType and not isawaitable(running):
                raise WorkerError(f"{type(worker).__name__}.run_task must be an 'async def'")
            await running
        except (asyncio.CancelledError, KeyboardInterrupt) as error:
            self.raised = error
            self._over()
            raise
        except BaseException as error:
            if isinstance(error, GeneratorExit) and asyncio._get_running_loop() is not self.driver.loop:
                raise  # it is thrown away with its loop
            self.raised = error
        self._over()

    def _over(self) -> None:
        if not self.detached:
            self.driver.post(self)
            return
        assert self.run is not None
        assert self.lane is not None
        self.driver.detached.discard(self.run)
        self.lane.release(self.driver)

    def _detach(self) -> None:
        """Its time to unwind is over: the request goes on without it, its slot stays taken."""
        assert self.run is not None
        if not self.run.done() and not self.detached:
            self.detached = True
            self.driver.detached.add(self.run)
            self.driver.post(self)

    def _read(self) -> None:
        """Take over how the run ended."""
        if self.grace is not None:
            self.grace.cancel()
        if self.raised is not None:
            if not self.cut_off:
                self.error = self._error_of(self.raised)
        elif self.begun and not self.detached:
            self.cut_off = False  # it had ended before the cut reached it: it is finished

    def _error_of(self, raised: BaseException) -> BaseException:
        assert self.run is not None
        name = type(self.worker).__name__
        if isinstance(raised, asyncio.CancelledError):
            if not self.run.cancelling():
                return WorkerError(f"{name} cancelled its own call")
            self.driver.notice_teardown()
            return WorkerError(f"a call of {name} was cancelled from outside: cancel its request instead")
        if isinstance(raised, KeyboardInterrupt):
            self.run.exception()  # asyncio would complain that nobody looked at it
            self.request.cancel(raised)
        return typed_error(self.worker, raised)

    def _charge(self) -> None:
        task = self.task
        told: object = task.usage
        if told is not None and not isinstance(told, Usage):
            described = f"set the task's usage to {told!r}: it must be a Usage"
            self.error, task.usage = WorkerError(f"{type(self.worker).__name__} {described}"), None
        if task.usage is None:
            if isinstance(self.error, InvalidRequestError | ClosedError) or not task.needs_worker:
                return  # nothing was sent
            task.usage = Usage(calls=1, lost_calls=1)
        self.usage = self.request.charge(task)

    def _describe(self, error: BaseException) -> None:
        if isinstance(error, ScaffoldingError):
            error.task = self.task
            error.branch = self.branch
        if isinstance(error, Exception):
            self.task.error = error


def _unusable(worker: object, error: Exception) -> WorkerError:
    """The error of a worker whose results, or whose own error, make whoever reads them fail."""
    typed = WorkerError(f"{type(worker).__name__} left what cannot be used: {type(error).__name__}")
    typed.__cause__ = error
    return typed
