"""FunctionWorker: a function of yours as a backend."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, SupportsFloat, TypeAlias

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import ClosedError, InvalidRequestError, WorkerError
from scaffolding_core.messages import AssistantMessage, Usage
from scaffolding_core.tasks import GenerationTask, MCPCallTask, RewardTask, Task, run_in_steps
from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import Worker

__all__ = ["FunctionWorker", "TaskFunction"]

Returned: TypeAlias = "str | SupportsFloat | AssistantMessage | None"
TaskFunction: TypeAlias = "Callable[[Task], Returned | Awaitable[Returned]]"


class FunctionWorker(Worker):
    """Runs each task by calling a function with it: for tests, verifiers, any engine of your own.

    The function returns text for a generation or a tool call, a number for a reward, an `AssistantMessage`
    for text with thoughts or tool calls, or None if it has filled the task itself. Left unset, the finish
    reason becomes `stop` or `tool_calls`, and the usage one call.

    An async function (or partial of one, or object with an async `__call__`) runs on the event loop, any
    other in a thread of its own, with the caller's context. A thread cannot be stopped: where such a call is
    cut, the await ends at once, and its result is dropped; neither closing the worker nor the end of the
    process waits for it.

    Cost: about 0.1 ms a call for the thread.

    Args:
        function: takes a task.
        max_concurrency: calls at once; a thread whose call was cut is not counted any more.
        capabilities: what the function can do; None says nothing of it.

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
        if capabilities is not None:
            self.capabilities = capabilities
        self._is_async = is_async(function)
        self._closed = False

    async def run_task(self, task: Task) -> object:
        """Call the function and hand what it returns to the task.

        Raises:
            ClosedError: the worker is closed.
            WorkerError: the function returned what does not fit the task, or nothing and left it empty.
        """
        if self._closed:
            raise ClosedError("this FunctionWorker is closed: make a new one")
        returned = self.function(task) if self._is_async else await run_in_thread(self.function, task)
        if inspect.isawaitable(returned):
            returned = await returned
        self._take(task, returned)
        if task.usage is None:
            task.usage = Usage(calls=1)
        return None

    def _take(self, task: Task, returned: Any) -> None:  # Any: what it may be is found out here
        """Hand what the function has returned to the task."""
        if returned is None:
            _check_filled(task)
        elif isinstance(task, GenerationTask) and isinstance(returned, str | AssistantMessage):
            _fill_answer(task, AssistantMessage(returned) if isinstance(returned, str) else returned)
        elif isinstance(task, RewardTask) and isinstance(returned, SupportsFloat):
            task.reward = float(returned)
        elif isinstance(task, MCPCallTask) and isinstance(returned, str):
            task.result_str = returned
        else:
            raise WorkerError(
                f"the function returned {type(returned).__name__} for a {type(task).__name__}: return text for a "
                "generation or a tool call, a number for a reward, or None if it filled the task"
            )
        goes_on = run_in_steps(task) and not task.end_flag
        if isinstance(task, GenerationTask) and not goes_on:
            task.finish_reason = task.finish_reason or ("tool_calls" if task.tool_calls else "stop")

    async def async_shutdown(self) -> None:
        """Refuse further tasks; nothing is waited for, and calls that run still end."""
        self.shutdown()

    def shutdown(self) -> None:
        """Refuse further tasks; nothing is waited for, and calls that run still end."""
        self._closed = True


def is_async(function: Callable[..., object]) -> bool:
    """Whether calling it gives a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # not whether it can be called
    )


def _fill_answer(task: GenerationTask, message: AssistantMessage) -> None:
    task.said = message
    if run_in_steps(task):
        task.end_flag = True  # it got the whole answer at once


def _check_filled(task: Task) -> None:
    if run_in_steps(task) or not isinstance(task, GenerationTask):
        return  # a step of a stream may bring nothing
    if task.output_str is None and task.output_tokens is None and not task.tool_calls:
        raise WorkerError(
            f"the function returned None and left the {type(task).__name__} empty: return text, or set "
            "output_str, output_tokens or tool_calls"
        )
