"""MCPWorker: tools of servers that speak the Model Context Protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import ToolDescription
from scaffolding_core.workers.mcp.connection import Connection
from scaffolding_core.workers.mcp.server import Server, server_of
from scaffolding_core.workers.mcp.servers import Servers
from scaffolding_core.workers.mcp.tool_worker import ToolWorker

__all__ = ["MCPWorker"]


class MCPWorker(ToolWorker[Servers]):
    """Calls tools on servers that speak the Model Context Protocol, over stdio, streamable HTTP or SSE.

    Sessions are opened when they are first needed, one a server and event loop, and opened anew after they were
    lost. With several servers, a call goes to the first in the list that has the tool; one that fails or hangs
    harms no call to another. Which tools they have is asked anew when a server says that they have changed, and
    where a tool is not known. In names, characters that OpenAI refuses become `_`.

    What a tool answers is the task's `result_str`; images and data stand in `content_parts` and `structured`. That
    the tool failed, that no server has it, or that its arguments are no JSON object or do not fit its schema is
    the model's to read: it stands there too, and `failed` is set. A call is never repeated, since a tool may act.

    Cost: one request a call; a session and its list of tools before the first.

    Source: https://modelcontextprotocol.io/specification

    Args:
        urls: of the servers, such as `http://localhost:8000/mcp` or `http://localhost:8000/sse`; or the command
            line of one that speaks over stdio, such as `python server.py`; or an `HttpServer` or `StdioServer`,
            which says more of it.
        timeout: seconds for a call; the request's own deadline holds too.
        connect_timeout: seconds for each attempt to open a session.
        max_concurrency: calls at once, over all event loops.

    Raises:
        InvalidRequestError: no address, what is none, or a number out of range.
        MissingExtraError: the extra `mcp` is not installed.
    """

    def __init__(
        self,
        urls: Sequence[str | Server],
        *,
        timeout: float = 300.0,
        connect_timeout: float = 10.0,
        max_concurrency: int = 256,
    ) -> None:
        if isinstance(urls, str) or not urls:
            raise InvalidRequestError(f"MCPWorker needs a list of at least one address, got {urls!r}")
        self.urls = list(urls)
        servers = [server_of(url) for url in self.urls]
        super().__init__(partial(Servers, servers, connect_timeout), timeout, connect_timeout, max_concurrency)

    async def connect(self) -> None:
        """Open the running loop's sessions with all servers; one that opens none is tried again when it is needed.

        Raises:
            WorkerError: no server opens one.
            ClosedError: the worker is closed.
        """
        deadline = asyncio.get_running_loop().time() + self.timeout
        opening = (connection.opened(deadline) for connection in self.here().all())
        failures = [error for error in await asyncio.gather(*opening, return_exceptions=True) if error is not None]
        if len(failures) == len(self.urls):
            raise failures[0]

    async def connection(self, tool_name: str, deadline: float) -> Connection | None:
        """The connection to the first server that has a tool; None where none has it.

        Raises:
            WorkerError: no server that can be reached has it, and one cannot.
        """
        return await self.here().with_tool(tool_name, deadline)

    async def tools(self) -> list[ToolDescription]:
        """What a model may call on the servers that can be reached, as a `ChatTask` takes it.

        Raises:
            WorkerError: no server can be reached.
            ClosedError: the worker is closed.
        """
        deadline = asyncio.get_running_loop().time() + self.timeout
        return list((await self.here().tools(deadline)).values())

    async def release_loop(self) -> None:
        """Close the running loop's sessions, unless calls wait."""
        if not self._closed:
            await self.here().release()
