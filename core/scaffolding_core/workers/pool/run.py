"""Run: one attempt of a call, at one replica."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from scaffolding_core.errors import BackendTimeoutError, WorkerError
from scaffolding_core.messages import Usage
from scaffolding_core.tasks import ChatTask, Delta, GenerationTask, Scope, Task, run_in_steps
from scaffolding_core.worker import retried_elsewhere, typed_error
from scaffolding_core.workers.pool.replica import Replica

__all__ = ["Run", "is_copied"]


def is_copied(task: Task) -> bool:
    """Whether each attempt runs a copy, so that two may run at once; a class of a user's own may hold more."""
    return type(task) in (GenerationTask, ChatTask) or run_in_steps(task)


class Run:
    """One attempt of a call, at one replica.

    Args:
        replica: runs it.
        task: what is asked.
        watched: the answer is to be streamed, so that its first token is seen.

    Attributes:
        task: what the replica runs: a copy, as far as may be.
        began: something of the answer has come.
        shown: somebody has seen text of it.
        silence: what it is cut for, where one that was asked later has begun before it.
        on_begin: called when it begins; whether it may go on.
    """

    def __init__(self, replica: Replica, task: Task, *, watched: bool) -> None:
        self.replica = replica
        self.began = False
        self.shown = False
        self.silence: BackendTimeoutError | None = None
        self._in_doubt = False
        self.on_begin: Callable[[], bool] = lambda: True
        self._goes_on = True
        self.task = task.copy() if is_copied(task) else task
        if isinstance(task, GenerationTask) and isinstance(self.task, GenerationTask):
            self.task.group = task.group
        self._scope = task.scope
        self.task.usage = None
        self._watched = watched

    @property
    def usage(self) -> Usage:
        """What it has cost so far, as far as that is known."""
        if isinstance(self.task.usage, Usage):
            return self.task.usage
        return Usage(calls=1, lost_calls=1) if self._in_doubt else Usage()

    def overtaken_after(self, seconds: float | None) -> None:
        """One that was asked so many seconds later has begun before it."""
        self.silence = BackendTimeoutError(
            f"{self.replica.name} had no first token when another had that was asked {seconds or 0:g} s later"
        )

    async def go(self) -> None:
        """Have the replica run it, once.

        Raises:
            BaseException: it failed; what is no error of this library is a `WorkerError`.
        """
        self._in_doubt = True
        retried_elsewhere.set(True)  # it is an asyncio task of its own, and so is its context
        if self._scope is not None:
            self.task.scope = _Watch(self._scope, self._begin, self._show, streams=self._watched)
        try:
            await self.replica.worker.run_task(self.task)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # a worker's SystemExit would end the event loop
            if isinstance(error, asyncio.CancelledError):
                if _is_cut():
                    raise
                error = WorkerError(f"{type(self.replica.worker).__name__} cancelled its own call")
            typed = typed_error(self.replica.worker, error)
            self._in_doubt = isinstance(typed, WorkerError) and typed.sent
            raise typed from typed.__cause__
        else:
            self._in_doubt = False  # who answers and tells no cost has none
        finally:
            self.task.scope = self._scope

    def _begin(self) -> bool:
        if not self.began:
            self.began = True
            self._goes_on = self.on_begin()
        return self._goes_on

    def _show(self) -> None:
        self.shown = True


def _is_cut() -> bool:
    """Whether somebody has cut the asyncio task that runs."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _Watch:
    """The scope of a call as its replica sees it: it notices the first token, and hands on what may go on."""

    def __init__(
        self, scope: Scope, begin: Callable[[], bool], show: Callable[[], None], *, streams: bool
    ) -> None:
        self._scope = scope
        self._begin = begin
        self._show = show
        self._streams = streams

    @property
    def request_id(self) -> int:
        return self._scope.request_id

    @property
    def branch(self) -> tuple[int, ...]:
        return self._scope.branch

    @property
    def deadline(self) -> float | None:
        return self._scope.deadline

    @property
    def priority(self) -> int:
        return getattr(self._scope, "priority", 0)

    @property
    def listening(self) -> bool:
        return self._scope.listening

    @property
    def counts_tokens(self) -> bool:
        return self._streams or getattr(self._scope, "counts_tokens", True)

    @property
    def may_be_cut(self) -> bool:
        return self._streams or getattr(self._scope, "may_be_cut", True)

    def emit(self, delta: Delta) -> None:
        if self._begin() and self._scope.listening:
            self._show()
            self._scope.emit(delta)

    def wrote(self, tokens: int) -> None:
        if self._begin():
            self._scope.wrote(tokens)
