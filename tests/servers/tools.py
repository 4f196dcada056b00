"""Servers of tools in this process, on the library that others write theirs with."""

import asyncio
import gc
import json
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_server

import uvicorn
from starlette.types import ASGIApp

try:
    from mcp.server.mcpserver import MCPServer
except ImportError:  # its name before version 2
    from mcp.server.fastmcp import FastMCP as MCPServer

PATHS = {"sse": "/sse", "http": "/mcp"}
ANYWHERE = "/anywhere"
"""A path that tells nothing of the transport."""


class ToolServer:
    """One server, listening on loopback from a thread of its own.

    Args:
        transport: `sse` or `http`.

    Attributes:
        url: of the server.
        other_url: the same by a path that tells nothing of the transport.
        waiting: calls of the tool `wait` that run.
        queries: the query of each request that opened a session.
    """

    def __init__(self, transport: str, *tools: str) -> None:
        self.waiting = 0
        self.queries: list[str] = []
        self._listening = create_server(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.url, self.other_url = address + PATHS[transport], address + ANYWHERE
        self._path = PATHS[transport]
        self._tools = MCPServer("tools", log_level="CRITICAL")
        for tool in tools or ("add", "fail", "wait", "two_parts", "envelope"):
            self.offer(tool)
        app = self._tools.sse_app() if transport == "sse" else self._tools.streamable_http_app()
        config = uvicorn.Config(self._watched(app), log_level="critical", timeout_graceful_shutdown=0)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],), daemon=True)

    async def add(self, a: int, b: int) -> int:
        return a + b

    async def double(self, a: int) -> int:
        return 2 * a

    async def two_more(self, a: int) -> int:
        return a + 2

    async def fail(self) -> str:
        raise RuntimeError("out of order")

    async def wait(self) -> str:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.waiting -= 1
        return ""

    async def two_parts(self) -> list[str]:
        return ["one", "two"]

    async def envelope(self, command: str) -> str:
        return json.dumps({"content": command, "stdout": "out", "stderr": "err"})

    def _watched(self, app: ASGIApp) -> ASGIApp:
        async def watched(scope, receive, send):
            if scope.get("path") == ANYWHERE:
                scope = {**scope, "path": self._path}
            if scope.get("path") == self._path and scope["method"] == "GET":
                self.queries.append(scope["query_string"].decode())
            await app(scope, receive, send)

        return watched

    def offer(self, tool: str) -> None:
        """Have a tool from now on."""
        self._tools.add_tool(getattr(self, tool))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        with warnings.catch_warnings():
            # The library leaves streams open in a server that is cut.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@contextmanager
def tool_server(transport: str, *tools: str) -> Iterator[ToolServer]:
    server = ToolServer(transport, *tools)
    server.start()
    try:
        yield server
    finally:
        server.stop()
