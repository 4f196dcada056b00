"""MCPWorker: tools of servers that speak the Model Context Protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Mapping, Sequence
from typing import Any, ClassVar, Self

import scaffolding_core.workers.mcp as core
from scaffolding_core.tasks import MCPCallTask, Task
from scaffolding_core.tensorrt_llm.task import TaskStatus
from scaffolding_core.tensorrt_llm.workers.base import Worker
from scaffolding_core.tensorrt_llm.workers.tool_text import hand_over
from scaffolding_core.worker import TaskHandler

__all__ = ["MCPWorker"]


class MCPWorker(Worker, core.MCPWorker):
    """The core's `MCPWorker`, with a status."""

    @classmethod
    def init_with_urls(cls, urls: Sequence[str]) -> Self:
        """A worker for the servers at these addresses."""
        return cls(urls)

    async def init_in_asyncio_event_loop(self) -> None:
        """Open the running loop's sessions, which would else be opened with the first call.

        Raises:
            WorkerError: no server opens one.
        """
        await self.connect()

    async def call_handler(self, task: MCPCallTask) -> TaskStatus:
        """Call a tool."""
        hand_over(task, await self.answer(task))
        return TaskStatus.SUCCESS

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {MCPCallTask: call_handler}

    def shutdown(self) -> Awaitable[None]:  # type: ignore[override]  # some programs await it
        """Close the worker and all its sessions soon; what it returns may be awaited until that is done."""
        core.MCPWorker.shutdown(self)
        return _Closing(self)


class _Closing(Awaitable[None]):
    def __init__(self, worker: core.MCPWorker) -> None:
        self._worker = worker

    def __await__(self) -> Generator[Any, None, None]:
        return self._worker.async_shutdown().__await__()
