"""OnceCalls: calls that several branches of a request make, and that run once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from scaffolding_core.errors import copy_error
from scaffolding_core.tasks import MCPCallTask
from scaffolding_core.workers.tools.answer import ToolAnswer

__all__ = ["OnceCalls"]

_STOPPED = ToolAnswer(
    "this call was stopped before it answered: whether it was carried out is not known", failed=True
)


class OnceCalls:
    """The calls of each request that are shared by what their tasks' `once` says, until the request ends.

    The first branch starts the call, and all get its answer or failure. It is cut when nobody waits for it any
    more; whoever asks for it after that is told that it was stopped, since it may have acted.
    """

    def __init__(self) -> None:
        self._calls: dict[int, dict[str, _SharedCall]] = {}

    async def answer(self, task: MCPCallTask, call: Callable[[MCPCallTask], Awaitable[ToolAnswer]]) -> ToolAnswer:
        """What the tool answers, called now or before.

        Raises:
            ScaffoldingError: what the call raises.
        """
        if task.once is None or task.scope is None:
            return await call(task)
        calls = self._calls.setdefault(task.scope.request_id, {})
        if task.once not in calls:
            calls[task.once] = _SharedCall(_answered(call, task))
        return await calls[task.once].answer()

    def forget(self, scope_id: str) -> None:
        """Keep nothing of a request that ended; a branch of one ends nothing."""
        if scope_id.isdigit():
            self._calls.pop(int(scope_id), None)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), ()  # what runs stays in its process


async def _answered(call: Callable[[MCPCallTask], Awaitable[ToolAnswer]], task: MCPCallTask) -> ToolAnswer:
    return await call(task)


class _SharedCall:
    """A call that many may wait for; the last who leaves ends it."""

    def __init__(self, call: Coroutine[Any, Any, ToolAnswer]) -> None:  # Any: it yields to the loop alone
        self._task = asyncio.get_running_loop().create_task(call)
        # Where nobody waits any more, its failure is nobody's.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._waiting = 0
        self._stopped = False

    async def answer(self) -> ToolAnswer:
        if self._stopped:
            return _STOPPED
        self._waiting += 1
        try:
            await asyncio.wait([self._task])
        finally:
            self._waiting -= 1
            if not self._waiting and not self._task.done():
                self._stopped = True
                self._task.cancel()
                await asyncio.wait([self._task])
        error = self._task.exception()
        if error is not None:
            raise copy_error(error)
        return self._task.result()
