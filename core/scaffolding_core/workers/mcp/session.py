"""Open a session with a server of tools, over whichever transport its address speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from scaffolding_core.errors import BackendUnavailableError, MissingExtraError
from scaffolding_core.threads import run_in_thread

if TYPE_CHECKING:
    from mcp import ClientSession

__all__ = ["Session", "check_installed", "open_session", "shown", "tool_names"]

Session: TypeAlias = "ClientSession"

_PAUSES = (0.2, 0.4, 0.8)
"""Seconds before each further attempt: a server that has just been started listens in a moment."""


async def open_session(url: str, seconds: float, stack: AsyncExitStack) -> Session:
    """Open a session that lasts as long as the stack.

    An address that ends in `/sse` is tried over SSE first, any other over streamable HTTP; then over the other.

    Args:
        url: of the server.
        seconds: for each attempt.
        stack: closes the session, in the task that calls this.

    Raises:
        BackendUnavailableError: nothing there opens a session.
    """
    transports = _transports(url)
    for pause in (*_PAUSES, None):
        failures = []
        for transport in transports:
            try:
                async with asyncio.timeout(seconds):
                    return await stack.enter_async_context(_session(transport, url))
            except Exception as error:
                failures.append(error)
        if pause is None or not all(_is_refused(error) for error in failures):
            break
        await asyncio.sleep(pause)
    told = "; ".join(dict.fromkeys(_described(error) for error in failures))
    raise BackendUnavailableError(
        f"no server of tools opens a session at {shown(url)}: check that it runs and speaks MCP there ({told})"
    ) from failures[0]


def check_installed() -> None:
    """Import the library, which takes half a second, before an event loop waits for it.

    Raises:
        MissingExtraError: the extra `mcp` is not installed.
    """
    try:
        import mcp.client.sse
        import mcp.client.streamable_http  # noqa: F401  # it is kept
    except ImportError as error:
        raise MissingExtraError("MCPWorker", "mcp") from error


Transport: TypeAlias = "Callable[[str, Any], AbstractAsyncContextManager[Any]]"
"""Opens the streams of a session; Any: the library's own client and streams, which differ between its versions."""


def _transports(url: str) -> tuple[Transport, Transport]:
    by_sse = urlsplit(url).path.rstrip("/").endswith("/sse")
    return (_sse, _streamable_http) if by_sse else (_streamable_http, _sse)


def _sse(url: str, client: Any) -> AbstractAsyncContextManager[Any]:
    from mcp.client.sse import sse_client

    def made(headers: object = None, timeout: object = None, auth: object = None) -> Any:
        return client

    return sse_client(url, httpx_client_factory=made)


@asynccontextmanager
async def _streamable_http(url: str, client: Any) -> AsyncIterator[Any]:
    from mcp.client.streamable_http import streamable_http_client

    async with client, streamable_http_client(url, http_client=client) as streams:
        yield streams


@asynccontextmanager
async def _session(transport: Transport, url: str) -> AsyncIterator[Session]:
    from mcp import ClientSession
    from mcp.shared._httpx_utils import create_mcp_http_client

    client = await run_in_thread(create_mcp_http_client)  # it reads certificates, for 50 ms
    async with transport(url, client) as streams, ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        yield session


async def tool_names(session: Session) -> frozenset[str]:
    """The names of all tools that a server has, page by page.

    Raises:
        Exception: what the session raises.
    """
    from mcp.types import PaginatedRequestParams

    names: set[str] = set()
    cursor: str | None = None
    while True:
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
        names.update(tool.name for tool in page.tools)
        following = page.model_dump(by_alias=True).get("nextCursor")  # its name differs between versions
        if following is None or following == cursor:
            return frozenset(names)
        cursor = following


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
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def shown(url: str) -> str:
    """The address without what may be secret."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
