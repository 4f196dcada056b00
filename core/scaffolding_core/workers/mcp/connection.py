"""Connection: a session with one server of tools, held open by a task of its own."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from contextvars import Context
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from scaffolding_core.errors import (
    BackendTimeoutError,
    BackendUnavailableError,
    ClosedError,
    ScaffoldingError,
    WorkerError,
    copy_error,
)
from scaffolding_core.messages import ToolDescription
from scaffolding_core.messages.tools import lawful_name
from scaffolding_core.workers.mcp.answer import answer_of
from scaffolding_core.workers.mcp.schema import what_does_not_fit
from scaffolding_core.workers.mcp.server import HttpServer, Server, server_of
from scaffolding_core.workers.mcp.session import Session, listed_tools, open_session
from scaffolding_core.workers.tools import ToolAnswer

__all__ = ["Connection"]

_CLOSE_SECONDS = 5.0
"""Time for a server to take its leave."""

_LOOK_SECONDS = 5.0
"""How often a call that waits looks whether its server still listens."""

_CONNECTION_CLOSED = -32000
_TERMINATED = "Session terminated"
_LOST = ("ClosedResourceError", "BrokenResourceError")
"""How the library says that a connection has ended."""

_PORTS = {"http": 80, "https": 443}

T = TypeVar("T")


class _RefusedError(Exception):
    """The server answered a question with an error of the protocol."""


class Connection:
    """A session with one server of tools, on the running event loop.

    The library's sessions must be left in the task that entered them: one task does both, and lasts as long as the
    connection. Calls run in their callers' tasks, any number at once; each ends at its deadline, with the
    connection, or when it is cut.

    Args:
        server: its address, or more of it.
        connect_seconds: for each attempt to open it.
    """

    def __init__(self, server: str | Server, connect_seconds: float) -> None:
        self._server = server_of(server)
        self.url = self._server.shown
        self._connect_seconds = connect_seconds
        self._session: Session | None = None
        self._opened = asyncio.Event()
        self._leave = asyncio.Event()
        self._waiting: set[asyncio.Timeout] = set()
        self._ended: ScaffoldingError | None = None
        self._tools: dict[str, ToolDescription] | None = None
        self._own_names: dict[str, str] = {}  # by those that a model is told
        self._changes = 0  # of its tools, as the server has told
        # A context of its own: the first caller's must not stay with those who come after it.
        self._holding = asyncio.get_running_loop().create_task(self._hold(), context=Context())

    @property
    def is_over(self) -> bool:
        """Whether it serves no further call."""
        return self._ended is not None

    @property
    def is_idle(self) -> bool:
        """Whether no call waits."""
        return not self._waiting

    async def _hold(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                self._session = await open_session(self._server, self._connect_seconds, stack, self._forget_tools)
                self._opened.set()
                try:
                    await self._until_left()
                finally:
                    self._end(BackendUnavailableError(f"the connection to {self.url} was lost"))
        except ScaffoldingError as error:
            self._end(error)
        except Exception as error:
            self._end(BackendUnavailableError(f"the connection to {self.url} was lost: {error}"))
        finally:
            self._end(ClosedError(f"the connection to {self.url} was closed"))

    async def _until_left(self) -> None:
        """Wait until it is to be closed, or nobody listens any more while calls wait.

        Some versions of the library leave a call waiting whose server has gone.
        """
        while not self._leave.is_set():
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._leave.wait()
            except TimeoutError:
                if self._waiting and not await _listens(self._server):
                    return

    def _end(self, error: ScaffoldingError) -> None:
        """Serve no further call, and tell those that wait; the first reason stays."""
        if self._ended is None:
            self._ended = error
            self._opened.set()
            for limit in self._waiting:
                if not limit.expired():
                    limit.reschedule(asyncio.get_running_loop().time())

    async def opened(self, deadline: float) -> None:
        """Wait until it is open.

        Args:
            deadline: on the running loop's clock.

        Raises:
            WorkerError: nothing there opens a session, or not in time.
            ClosedError: it was closed.
        """
        await self._ask(_nothing, deadline)

    async def tools(self, deadline: float, *, anew: bool = False) -> dict[str, ToolDescription]:
        """The server's tools by their names, none where it has none at all.

        Args:
            deadline: on the running loop's clock.
            anew: ask again, where they are known.

        Raises:
            WorkerError, ClosedError: as with `call`.
        """
        if self._tools is not None and not anew:
            return self._tools
        changes = self._changes
        in_time = asyncio.get_running_loop().time() + self._connect_seconds
        try:
            listed = await self._ask(listed_tools, min(deadline, in_time))
        except _RefusedError:
            listed = []
        tools: dict[str, ToolDescription] = {}
        for tool in sorted(listed, key=lambda tool: tool.name != lawful_name(tool.name)):  # those keep their names
            name = lawful_name(self._server.prefix + tool.name, tools)
            tools[name], self._own_names[name] = replace(tool, name=name), tool.name
        if self._changes == changes:  # what changed meanwhile is asked anew
            self._tools = tools
        return tools

    def _forget_tools(self) -> None:
        self._tools = None
        self._changes += 1

    async def call(self, name: str, arguments: dict[str, Any], deadline: float) -> ToolAnswer:
        """Call a tool.

        Args:
            name: of the tool, as it is told or as the server has it.
            arguments: what JSON holds.
            deadline: on the running loop's clock.

        Returns:
            What it answered; that the server knows no such tool, that the arguments do not fit what it told of the
            tool, or that the tool failed, is an answer too.

        Raises:
            BackendTimeoutError: the deadline passed first.
            BackendUnavailableError: nothing there opens a session, or the connection was lost.
            WorkerError: the server answered with what is no answer.
            ClosedError: the connection was closed.
        """

        told = name if name in self._own_names else lawful_name(name)
        known = (self._tools or {}).get(told)
        if known is not None and (wrong := what_does_not_fit(arguments, known.parameters)):
            return ToolAnswer(f"the arguments do not fit, and nothing was called: {wrong}", failed=True)
        own_name = self._own_names.get(told, name.removeprefix(self._server.prefix))

        async def called(session: Session) -> ToolAnswer:
            result = await session.call_tool(own_name, arguments)
            return answer_of(result.model_dump(by_alias=True, mode="json"))

        try:
            return await self._ask(called, deadline)
        except _RefusedError as refusal:
            return ToolAnswer(str(refusal), failed=True)

    async def _ask(self, ask: Callable[[Session], Awaitable[T]], deadline: float) -> T:
        limit = asyncio.timeout_at(deadline)
        try:
            async with limit:
                self._waiting.add(limit)
                try:
                    await self._opened.wait()
                    if self._session is None or self._ended is not None:
                        raise TimeoutError
                    return await ask(self._session)
                finally:
                    self._waiting.discard(limit)  # it can be moved only while it is entered
        except Exception as error:
            raise self._understood(error, limit.expired()) from error

    def _understood(self, error: Exception, is_late: bool) -> BaseException:
        """An error of the library as one of ours."""
        told = getattr(error, "error", None)
        code, message = getattr(told, "code", None), getattr(told, "message", None)
        if code == _CONNECTION_CLOSED or message == _TERMINATED or type(error).__name__ in _LOST:
            self._end(BackendUnavailableError(f"the connection to {self.url} was lost"))
            self._leave.set()
        if self._ended is not None:
            return copy_error(self._ended)
        if is_late:
            return BackendTimeoutError(f"{self.url} did not answer in time: allow more, or ask for less")
        if code is not None:
            return _RefusedError(message)
        return WorkerError(f"{self.url} answered with what is no answer: {error}")

    def leave(self) -> None:
        """Close it, and wait for nothing; calls that wait are told."""
        self._end(ClosedError(f"the connection to {self.url} was closed"))
        self._leave.set()
        if self._session is None:
            self._holding.cancel()

    async def close(self) -> None:
        """Close it; a server that does not take its leave in 5 seconds is left so."""
        self.leave()
        try:
            await asyncio.wait([self._holding], timeout=_CLOSE_SECONDS)
        finally:
            self._holding.cancel()
        await asyncio.wait([self._holding])


async def _nothing(_session: Session) -> None:
    pass


async def _listens(server: Server) -> bool:
    """Whether anybody takes connections there; false only where they are refused, as a proxy may be in between."""
    if not isinstance(server, HttpServer):
        return True  # the library tells when a program has ended
    parts = urlsplit(server.url)
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or _PORTS.get(parts.scheme, 80))
    except OSError as error:  # one for each of the host's addresses, or one that quotes them all
        return f"[Errno {errno.ECONNREFUSED}]" not in str(error)
    writer.close()
    return True
