"""ApiaryMCPWorker: tools in sandboxes, one for each execution scope."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar
from urllib.parse import urlencode

from scaffolding_core.tasks import MCPCallTask, Task
from scaffolding_core.tensorrt_llm.execution_scope import current_scope
from scaffolding_core.tensorrt_llm.task import TaskStatus
from scaffolding_core.tensorrt_llm.workers.base import Worker
from scaffolding_core.tensorrt_llm.workers.sandboxes import Sandboxes
from scaffolding_core.tensorrt_llm.workers.tool_text import hand_over
from scaffolding_core.worker import TaskHandler
from scaffolding_core.workers.limits import check_counts
from scaffolding_core.workers.mcp import Connection, ToolWorker

__all__ = ["ApiaryMCPWorker"]


class ApiaryMCPWorker(Worker, ToolWorker[Sandboxes]):
    """Calls tools on a server that has a sandbox for each connection: each execution scope gets one of its own.

    A connection is opened with the first call in a scope and closed when the scope ends. Where it was lost, the
    scope's next call opens a new one, with a new sandbox.

    Cost: one request a call, and a session for each scope that calls a tool.

    Args:
        base_url: of the server, such as `http://localhost:8082/sse`.
        max_connections: scopes with a connection at once, on each event loop; further ones wait.
        timeout: seconds for a call; the request's own deadline holds too.
        connect_timeout: seconds for each attempt to open a session.

    Raises:
        InvalidRequestError: a number out of range.
        MissingExtraError: the extra `mcp` is not installed.
    """

    def __init__(
        self,
        base_url: str,
        max_connections: int = 200,
        *,
        timeout: float = 300.0,
        connect_timeout: float = 10.0,
    ) -> None:
        check_counts(max_connections=max_connections)
        made = partial(Sandboxes, max_connections)
        ToolWorker.__init__(self, made, timeout, connect_timeout, self.max_concurrency)
        self.base_url = base_url.rstrip("/")
        self._scope_params: dict[str, Mapping[str, str | list[str]]] = {}

    def set_scope_params(self, request_id: str, **params: str | list[str]) -> None:
        """Send query parameters with each connection of a request; set them before its first call.

        Args:
            request_id: the `id` of its result.
            params: a list is sent as several parameters of that name.
        """
        self._scope_params[request_id] = params

    async def connection(self, tool_name: str, deadline: float) -> Connection:
        """The connection of the scope that runs; calls outside a request share one.

        Raises:
            BackendTimeoutError: no other scope has given one back in time.
        """
        scope = current_scope.get()
        scope_id = "default" if scope is None else scope.scope_id
        params = {} if scope is None else self._scope_params.get(scope.request_id, {})
        query = urlencode({"client_id": f"coder-{scope_id}", **params}, doseq=True)
        url = f"{self.base_url}{'&' if '?' in self.base_url else '?'}{query}"
        return await self.here().of(scope_id, lambda: Connection(url, self.connect_timeout), deadline)

    async def call_handler(self, task: MCPCallTask) -> TaskStatus:
        """Call a tool."""
        hand_over(task, await self.answer(task))
        return TaskStatus.SUCCESS

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {MCPCallTask: call_handler}

    async def release_connection(self, scope_id: str) -> None:
        """Close the connection of a scope, if it has one."""
        self._scope_params.pop(scope_id, None)
        if not self._closed:
            await self.here().end(scope_id)

    async def on_scope_end(self, scope_id: str) -> None:
        """Close the connection of a scope that ended."""
        await self.release_connection(scope_id)
