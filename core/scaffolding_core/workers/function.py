"""FunctionWorker: a function of yours as a backend."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from scaffolding_core.errors import ClosedError, InvalidRequestError, WorkerError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.task import GenerationTask, MCPCallTask, RewardTask, Task, TaskStatus
from scaffolding_core.usage import Usage
from scaffolding_core.worker import Capabilities, Worker

__all__ = ["FunctionWorker", "TaskFunction"]

Returned: TypeAlias = "str | float | AssistantMessage | TaskStatus | None"
TaskFunction: TypeAlias = "Callable[[Task], Returned | Awaitable[Returned]]"


class FunctionWorker(Worker):
    """Runs each task by calling a function with it: for tests, verifiers, any engine of your own.

    The function returns text for a generation or a tool call, a number for a reward, an `AssistantMessage`
    for text with thoughts or tool calls, or None if it has filled the task itself. An async function runs on
    the event loop, any other in a thread, with the caller's context. A thread cannot be stopped: where such
    a call is cut, its result is dropped.

    Args:
        function: takes a task.
        max_concurrency: calls at once.
        capabilities: what the function can do.

    Raises:
        InvalidRequestError: not callable.
    """

    def __init__(
        self,
        function: TaskFunction,
        *,
        max_concurrency: int = 256,
        capabilities: Capabilities | None = None,
    ) -> None:
        if not callable(function):
            raise InvalidRequestError(f"FunctionWorker needs a function, got {function!r}")
        self.function = function
        self.max_concurrency = max_concurrency
        self.capabilities = capabilities or Capabilities()
        self._is_async = _is_async(function)
        self._threads: ThreadPoolExecutor | None = None
        self._closed = False

    async def run_task(self, task: Task) -> TaskStatus | None:
        """Call the function and hand what it returns to the task."""
        if self._closed:
            raise ClosedError("this FunctionWorker is closed: make a new one")
        returned = self.function(task) if self._is_async else await self._in_thread(task)
        if inspect.isawaitable(returned):
            returned = await returned
        if isinstance(returned, TaskStatus):
            return returned
        _fill(task, returned)
        if task.usage is None:
            task.usage = Usage(calls=1)
        return None

    async def async_shutdown(self) -> None:
        """Close the worker; calls that run in threads go on, unseen."""
        self.shutdown()

    def shutdown(self) -> None:
        """Close the worker; calls that run in threads go on, unseen."""
        self._closed = True
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, task: Task) -> object:
        if self._threads is None:
            # The loop's own pool is small, and shared with everybody.
            self._threads = ThreadPoolExecutor(self.max_concurrency, thread_name_prefix="function-worker")
        call = functools.partial(contextvars.copy_context().run, self.function, task)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _is_async(function: TaskFunction) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # whether calling it gives a coroutine
    )


def _fill(task: Task, returned: object) -> None:
    if returned is None:
        return
    if isinstance(task, GenerationTask) and isinstance(returned, str | AssistantMessage):
        message = AssistantMessage(returned) if isinstance(returned, str) else returned
        task.output_str = message.text
        task.reasoning, task.tool_calls, task.original = (
            message.reasoning,
            message.tool_calls,
            message.original,
        )
        task.finish_reason = task.finish_reason or ("tool_calls" if message.tool_calls else "stop")
    elif isinstance(task, RewardTask) and isinstance(returned, int | float):
        task.reward = float(returned)
    elif isinstance(task, MCPCallTask) and isinstance(returned, str):
        task.result_str = returned
    else:
        raise WorkerError(
            f"the function returned {type(returned).__name__} for a {type(task).__name__}: return text for a "
            "generation or a tool call, a number for a reward, or None if it filled the task"
        )
