"""ToolWorker: what workers that call tools on servers have in common."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from scaffolding_core.answers.json_text import read_arguments
from scaffolding_core.errors import ClosedError
from scaffolding_core.tasks import MCPCallTask
from scaffolding_core.workers.limits import check_counts, check_seconds
from scaffolding_core.workers.mcp.connection import Connection
from scaffolding_core.workers.mcp.session import check_installed
from scaffolding_core.workers.per_loop import PerLoop
from scaffolding_core.workers.tools import ToolAnswer, ToolHost

__all__ = ["Connections", "ToolWorker"]


class Connections(Protocol):
    """The connections of one event loop."""

    async def close(self) -> None:
        """Close all; calls that wait are told."""

    def leave(self) -> None:
        """Close all soon."""


C = TypeVar("C", bound=Connections)


class ToolWorker(ToolHost, Generic[C]):
    """Calls tools, over connections that each belong to an event loop.

    Args:
        connections: makes those of the running loop.
        timeout: seconds for a call; the request's own deadline holds too.
        connect_timeout: seconds for each attempt to open a session.
        max_concurrency: calls at once, over all event loops.

    Raises:
        InvalidRequestError: a number out of range.
        MissingExtraError: the extra `mcp` is not installed.
    """

    def __init__(
        self, connections: Callable[[], C], timeout: float, connect_timeout: float, max_concurrency: int
    ) -> None:
        ToolHost.__init__(self)
        check_seconds(timeout=timeout, connect_timeout=connect_timeout)
        check_counts(max_concurrency=max_concurrency)
        check_installed()
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self.max_concurrency = max_concurrency
        self._connections = PerLoop(connections)
        self._closed = False

    @abstractmethod
    async def connection(self, tool_name: str, deadline: float) -> Connection | None:
        """The connection to the server that has a tool; None where none has it."""

    async def answer(self, task: MCPCallTask) -> ToolAnswer:
        """What the tool answers that a task calls; what the model did wrong is an answer too.

        Raises:
            WorkerError: a server cannot be reached, was lost, or did not answer in time.
            ClosedError: the worker is closed.
        """
        try:
            arguments = read_arguments(task.args)
        except ValueError as error:
            return ToolAnswer(str(error), failed=True)
        name, deadline = str(task.tool_name), self._deadline(task)
        connection = await self.connection(name, deadline)
        if connection is None:
            return ToolAnswer(f"there is no tool named {name!r}", failed=True)
        return await connection.call(name, arguments, deadline)

    def here(self) -> C:
        """The running loop's connections.

        Raises:
            ClosedError: the worker is closed.
        """
        if self._closed:
            raise ClosedError(f"this {type(self).__name__} is closed: make a new one")
        return self._connections.here()

    def _deadline(self, task: MCPCallTask) -> float:
        own = asyncio.get_running_loop().time() + self.timeout
        deadline = task.scope.deadline if task.scope is not None else None
        return own if deadline is None else min(own, deadline)

    async def async_shutdown(self) -> None:
        """Close the worker and all its connections; calls that wait end with a `ClosedError`."""
        here = self._connections.take_here()
        self.shutdown()
        if here is not None:
            await here.close()

    def shutdown(self) -> None:
        """Close the worker, and all its connections soon, each on its own loop; nothing is waited for."""
        self._closed = True
        self._connections.take_all(lambda connections: connections.leave())
