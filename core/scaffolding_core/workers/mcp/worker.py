"""MCPWorker: tools of servers that speak the Model Context Protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar

from scaffolding_core.errors import ClosedError, InvalidRequestError, WorkerError
from scaffolding_core.tasks import MCPCallTask, Task
from scaffolding_core.worker import TaskHandler, Worker
from scaffolding_core.workers.limits import check_counts, check_seconds
from scaffolding_core.workers.mcp.answer import ToolAnswer
from scaffolding_core.workers.mcp.arguments import read_arguments
from scaffolding_core.workers.mcp.connection import Connection
from scaffolding_core.workers.mcp.per_loop import PerLoop
from scaffolding_core.workers.mcp.session import check_installed

__all__ = ["MCPWorker"]


class MCPWorker(Worker):
    """Calls tools on servers that speak the Model Context Protocol, over streamable HTTP or SSE.

    Sessions are opened when they are first needed, one a server and event loop, and opened anew after they were
    lost. With several servers, a call goes to the first in the list that has the tool.

    What a tool answers is the task's `result_str`. That the tool failed, that no server has it, or that its
    arguments are no JSON object is the model's to read: it stands there too, and `failed` is set. A call is never
    repeated, since a tool may act.

    Cost: one request a call; a session, and with several servers their lists of tools, before the first.

    Source: https://modelcontextprotocol.io/specification

    Args:
        urls: of the servers, such as `http://localhost:8000/mcp` or `http://localhost:8000/sse`.
        timeout: seconds for a call; the request's own deadline holds too.
        connect_timeout: seconds for each attempt to open a session.
        max_concurrency: calls at once, over all event loops.

    Raises:
        InvalidRequestError: no address, or a number out of range.
        MissingExtraError: the extra `mcp` is not installed.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout: float = 300.0,
        connect_timeout: float = 10.0,
        max_concurrency: int = 256,
    ) -> None:
        if isinstance(urls, str) or not urls:
            raise InvalidRequestError(f"MCPWorker needs a list of at least one address, got {urls!r}")
        check_seconds(timeout=timeout, connect_timeout=connect_timeout)
        check_counts(max_concurrency=max_concurrency)
        check_installed()
        self.urls = list(urls)
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self.max_concurrency = max_concurrency
        self._connections: PerLoop[dict[str, Connection]] = PerLoop(dict)
        self._closed = False

    async def connect(self) -> None:
        """Open the running loop's sessions with all servers.

        Raises:
            WorkerError: a server does not open one.
            ClosedError: the worker is closed.
        """
        deadline = asyncio.get_running_loop().time() + self.timeout
        for connection in [self._connection(url) for url in self.urls]:
            await connection.opened(deadline)

    async def _call(self, task: MCPCallTask) -> None:
        answer = await self._answer(task)
        task.result_str, task.failed = answer

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {MCPCallTask: _call}

    async def _answer(self, task: MCPCallTask) -> ToolAnswer:
        try:
            arguments = read_arguments(task.args)
        except ValueError as error:
            return ToolAnswer(str(error), failed=True)
        name, deadline = str(task.tool_name), self._deadline(task)
        connection = await self._with_tool(name, deadline)
        if connection is None:
            return ToolAnswer(f"there is no tool named {name!r}", failed=True)
        return await connection.call(name, arguments, deadline)

    def _deadline(self, task: Task) -> float:
        own = asyncio.get_running_loop().time() + self.timeout
        deadline = task.scope.deadline if task.scope is not None else None
        return own if deadline is None else min(own, deadline)

    async def _with_tool(self, name: str, deadline: float) -> Connection | None:
        """The connection to the first server that has a tool; the only server tells by itself."""
        connections = [self._connection(url) for url in self.urls]
        if len(connections) == 1:
            return connections[0]
        failure: WorkerError | None = None
        for anew in (False, True):
            for connection in connections:
                try:
                    if name in await connection.tool_names(deadline, anew=anew):
                        return connection
                except WorkerError as error:
                    failure = error
        if failure is not None:
            raise failure  # the tool may be there
        return None

    def _connection(self, url: str) -> Connection:
        """The running loop's connection to a server, a new one where it has ended."""
        if self._closed:
            raise ClosedError(f"this {type(self).__name__} is closed: make a new one")
        connections = self._connections.here()
        connection = connections.get(url)
        if connection is None or connection.is_over:
            connection = connections[url] = Connection(url, self.connect_timeout)
        return connection

    async def release_loop(self) -> None:
        """Close the running loop's sessions, unless calls wait."""
        connections = self._connections.here()
        for url in [url for url, connection in connections.items() if connection.is_idle]:
            await connections.pop(url).close()

    async def async_shutdown(self) -> None:
        """Close the worker and all its sessions; calls that wait end with a `ClosedError`."""
        self._closed = True
        connections = self._connections.take_here() or {}
        self._connections.take_all(_leave)
        await asyncio.gather(*(connection.close() for connection in connections.values()))

    def shutdown(self) -> None:
        """Close the worker and all its sessions soon, each on its own loop; nothing is waited for."""
        self._closed = True
        self._connections.take_all(_leave)


def _leave(connections: Mapping[str, Connection]) -> None:
    for connection in connections.values():
        connection.leave()
