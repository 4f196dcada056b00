"""Worker: returns how a task ended."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

import scaffolding_core.tasks as core_tasks
import scaffolding_core.tensorrt_llm.task as open_tasks
import scaffolding_core.worker as core
from scaffolding_core.errors import ScaffoldingError, UnsupportedTaskError, WorkerError
from scaffolding_core.messages import Usage
from scaffolding_core.tasks import Task, inputs_of
from scaffolding_core.tensorrt_llm.message import AssistantMessage
from scaffolding_core.tensorrt_llm.task import ChatTask, TaskStatus
from scaffolding_core.worker import TaskHandler

__all__ = ["Worker", "answered", "raise_status", "reads_status"]

logger = logging.getLogger("scaffolding_core")

reads_status: ContextVar[bool] = ContextVar("reads_status", default=False)
"""Whether the worker that the request asks is a program's own, which reads the status of one that it asks."""


class Worker(core.Worker):
    """A backend. Its handlers return a `TaskStatus`, fill the task's results, and may raise.

    Called by hand, or by a program's own worker, it returns the status, and of a failure leaves the typed error in
    `task.error`. In a request that error is raised, unless a worker that got the status returns another.
    """

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {}

    async def run_task(self, task: Task) -> TaskStatus:
        """Run a task.

        Raises:
            ScaffoldingError: it failed, and a worker of the core asks, which reads no status.
        """
        try:
            with _paid_besides(task):
                returned = await answered(task, lambda: super(Worker, self).run_task(task))
            raise_status(self, task, returned)
        except ScaffoldingError as error:
            if task.scope is not None and not reads_status.get():
                raise
            task.error = error
            if task.scope is None:
                logger.warning("%s", error)
            unsupported = isinstance(error, UnsupportedTaskError)
            return TaskStatus.WORKER_NOT_SUPPORTED if unsupported else TaskStatus.WORKER_EXECEPTION
        task.error = None
        return TaskStatus.SUCCESS

    def _find_handler(self, task_cls: type[Task]) -> TaskHandler:
        try:
            return super()._find_handler(task_cls)
        except UnsupportedTaskError:
            kind = next((_OPEN[kind] for kind in task_cls.__mro__ if kind in _OPEN), None)
            if kind is None or task_cls.goes_on or issubclass(task_cls, open_tasks.Task):
                raise
            return _of_the_core(kind, super()._find_handler(kind))


@contextmanager
def _paid_besides(task: Task) -> Iterator[None]:
    """Adds what a call costs to what the request has paid for the task already, to whichever worker."""
    paid = _paid(task)
    try:
        yield
    finally:
        if paid is not None:
            if task.usage is not None:
                paid.add(task.usage)
            task.usage = paid


def _paid(task: Task) -> Usage | None:
    if task.scope is None or task.goes_on:
        return None
    paid, task.usage = task.usage, None
    return paid


_OPEN: Mapping[type[Task], type[open_tasks.Task]] = {
    core_tasks.ChatTask: ChatTask,
    core_tasks.GenerationTask: open_tasks.GenerationTask,
    core_tasks.MCPCallTask: open_tasks.MCPCallTask,
    core_tasks.RewardTask: open_tasks.RewardTask,
}
"""The kinds of this package for those of the core."""


def _of_the_core(kind: type[open_tasks.Task], handler: TaskHandler) -> TaskHandler:
    """A handler for a kind of this package, which serves the core's."""

    async def run(worker: Worker, task: Task) -> object:
        held = {name: value for name in inputs_of(kind) if (value := getattr(task, name, None)) is not None}
        opened = kind()
        vars(opened).update(held, scope=task.scope)
        if isinstance(opened, ChatTask):
            opened.messages = [*opened.messages]
        try:
            return await answered(opened, lambda: handler(worker, opened))
        finally:
            task.take_results(opened)
            task.usage, task.error = opened.usage, opened.error

    return run


async def answered(task: Task, run: Callable[[], Awaitable[Any]]) -> Any:  # Any: what the worker returns
    """Run a task; a chat then ends with its answer, and an answer that the worker has appended is the task's."""
    if not isinstance(task, ChatTask):
        return await run()
    before = _begin_turn(task)
    returned = await run()
    new = task.messages[before:]
    if not new and task.said is not None:
        task.messages.append(AssistantMessage.of(task.said))
    elif new and isinstance(answer := new[-1], AssistantMessage) and task.output_str is None:
        vars(task).update(output_str=answer.content, reasoning=answer.reasoning, tool_calls=answer.tool_calls)
    return returned


def _begin_turn(task: ChatTask) -> int:
    """Forget the answer of an earlier turn; returns how many messages there are."""
    task.said = None
    return len(task.messages)


def raise_status(worker: core.Worker, task: Task, returned: object) -> None:
    """Raise what a worker's status stands for, if that is a failure.

    Raises:
        UnsupportedTaskError: it cannot run such tasks.
        ScaffoldingError: it failed, with the error that it left in the task, if it left one.
    """
    lost = returned is None and task.error is not None and getattr(task, "said", None) is None
    if returned is TaskStatus.SUCCESS or not (lost or isinstance(returned, TaskStatus)):
        return
    if isinstance(task.error, ScaffoldingError):
        raise task.error
    name, kind = type(worker).__name__, type(task).__name__
    if returned is TaskStatus.WORKER_NOT_SUPPORTED:
        raise UnsupportedTaskError(f"{name} cannot run a {kind}")
    raise WorkerError(f"{name} failed to run a {kind}, and did not say why")
