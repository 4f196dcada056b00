"""Open a session with a server of tools, over whichever transport its address speaks."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from scaffolding_core.errors import BackendUnavailableError, MissingExtraError
from scaffolding_core.messages import ToolDescription
from scaffolding_core.threads import run_in_thread
from scaffolding_core.workers.mcp.server import HttpServer, Server, StdioServer

if TYPE_CHECKING:
    from mcp import ClientSession

__all__ = ["Session", "check_installed", "listed_tools", "open_session"]

Session: TypeAlias = "ClientSession"

_SECRET = re.compile(r"(?<=://)[^/\s'@]+@|(?<=\S)\?[^\s']+")
"""What an address in an error says beside host and path."""

_PAUSES = (0.2, 0.4, 0.8)
"""Seconds before each further attempt: a server that has just been started listens in a moment."""


async def open_session(
    server: Server, seconds: float, stack: AsyncExitStack, on_new_tools: Callable[[], None]
) -> Session:
    """Open a session that lasts as long as the stack.

    An address that ends in `/sse` is tried over SSE first, any other over streamable HTTP; then over the other.

    Args:
        server: to open it with.
        seconds: for each attempt.
        stack: closes the session, in the task that calls this.
        on_new_tools: is called when the server says that its tools have changed.

    Raises:
        BackendUnavailableError: nothing there opens a session.
    """
    transports = _transports(server)
    for pause in (*_PAUSES, None):
        failures = []
        for transport in transports:
            try:
                async with asyncio.timeout(seconds):
                    return await stack.enter_async_context(_session(transport, on_new_tools))
            except Exception as error:
                failures.append(error)
        if pause is None or not all(_is_refused(error) for error in failures):
            break
        await asyncio.sleep(pause)
    told = "; ".join(dict.fromkeys(_described(error) for error in failures))
    raise BackendUnavailableError(
        f"no server of tools opens a session at {server.shown}: check that it runs and speaks MCP there ({told})"
    ) from failures[0]


def check_installed() -> None:
    """Import the library, which takes half a second, before an event loop waits for it.

    Raises:
        MissingExtraError: the extra `mcp` is not installed.
    """
    try:
        import mcp.client.sse
        import mcp.client.stdio
        import mcp.client.streamable_http  # noqa: F401  # it is kept
    except ImportError as error:
        raise MissingExtraError("MCPWorker", "mcp") from error


Transport: TypeAlias = "Callable[[], AbstractAsyncContextManager[Any]]"
"""Opens the streams of a session; Any: the library's own streams, which differ between its versions."""


def _transports(server: Server) -> Sequence[Transport]:
    if isinstance(server, StdioServer):
        return [partial(_stdio, server)]
    by_sse = urlsplit(server.url).path.rstrip("/").endswith("/sse")
    both = [partial(_sse, server), partial(_streamable_http, server)]
    return both if by_sse else both[::-1]


@asynccontextmanager
async def _stdio(server: StdioServer) -> AsyncIterator[Any]:
    from mcp.client.stdio import StdioServerParameters, stdio_client

    env = None if server.env is None else dict(server.env)
    program = StdioServerParameters(command=server.command, args=list(server.args), env=env, cwd=server.cwd)
    with Path(os.devnull).open("w") as nowhere:  # noqa: ASYNC230  # it never blocks
        async with stdio_client(program, errlog=nowhere) as streams:
            yield streams


@asynccontextmanager
async def _sse(server: HttpServer) -> AsyncIterator[Any]:
    from mcp.client.sse import sse_client

    client = await _client(server)

    def made(headers: object = None, timeout: object = None, auth: object = None) -> Any:
        return client

    async with sse_client(server.url, httpx_client_factory=made) as streams:
        yield streams


@asynccontextmanager
async def _streamable_http(server: HttpServer) -> AsyncIterator[Any]:
    from mcp.client.streamable_http import streamable_http_client

    async with await _client(server) as client, streamable_http_client(server.url, http_client=client) as streams:
        yield streams


async def _client(server: HttpServer) -> Any:  # Any: of the library's own HTTP client, which changes
    from mcp.shared._httpx_utils import create_mcp_http_client

    # It reads certificates, for 50 ms.
    return await run_in_thread(create_mcp_http_client, headers=dict(server.headers) or None)


@asynccontextmanager
async def _session(transport: Transport, on_new_tools: Callable[[], None]) -> AsyncIterator[Session]:
    from mcp import ClientSession

    async def heard(message: Any) -> None:  # Any: a notification, wrapped in some versions of the library
        if type(getattr(message, "root", message)).__name__ == "ToolListChangedNotification":
            on_new_tools()

    async with transport() as streams, ClientSession(streams[0], streams[1], message_handler=heard) as session:
        await session.initialize()
        yield session


async def listed_tools(session: Session) -> list[ToolDescription]:
    """All tools that a server has, page by page.

    Raises:
        Exception: what the session raises.
    """
    from mcp.types import PaginatedRequestParams

    tools: list[ToolDescription] = []
    cursor: str | None = None
    while True:
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
        written = page.model_dump(by_alias=True, mode="json")  # names of attributes differ between versions
        tools += map(_description, written["tools"])
        following = written.get("nextCursor")
        if following is None or following == cursor:
            return tools
        cursor = following


def _description(tool: Mapping[str, Any]) -> ToolDescription:  # Any: whatever JSON holds
    """A tool as the protocol tells of it."""
    hints = tool.get("annotations") or {}
    changes = None if hints.get("readOnlyHint") is None else not hints["readOnlyHint"]
    if changes is None and hints.get("destructiveHint"):
        changes = True
    return ToolDescription(tool["name"], tool.get("description") or "", tool["inputSchema"], changes)


def _is_refused(error: BaseException) -> bool:
    """Whether nobody listens there."""
    if isinstance(error, BaseExceptionGroup):
        return any(_is_refused(inner) for inner in error.exceptions)
    return type(error).__name__ == "ConnectError"


def _described(error: BaseException) -> str:
    """The innermost error in a line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return "no answer in time"
    lines = _SECRET.sub("", str(error)).splitlines()
    return lines[0] if lines else type(error).__name__
