"""ComputeWorker: runs what a method computes itself, off the loop."""

from __future__ import annotations

import inspect
from contextvars import ContextVar

from scaffolding_core.errors import ControllerError
from scaffolding_core.tasks import ComputeTask, Task
from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import Worker

__all__ = ["ComputeWorker", "computing"]

computing: ContextVar[ComputeTask | None] = ContextVar("computing", default=None)
"""The task whose function runs in this context: it may add to the task's usage."""


class ComputeWorker(Worker):
    """Runs a `ComputeTask` in a thread of its own, an async one on the loop.

    Where it is cut, the await ends at once, and neither the loop nor the program waits for the thread.
    """

    async def run_task(self, task: Task) -> None:
        """Call the task's function."""
        if not isinstance(task, ComputeTask) or task.function is None:
            raise ControllerError("a ComputeTask needs a function to call")
        computing.set(task)
        if inspect.iscoroutinefunction(task.function):
            task.result = await task.function()
        else:
            task.result = await run_in_thread(task.function)
