"""One HTTP session for each event loop: a client works only on the loop that it was made on."""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import threading
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping, MutableSet
from contextlib import suppress
from contextvars import ContextVar
from types import ModuleType
from typing import Any, NamedTuple

import aiohttp
from aiohttp import AddrInfoType
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from scaffolding_core.errors import InvalidRequestError

__all__ = ["Dispatch", "Sessions"]

KEEP_ALIVE = 4.0
"""Seconds that an idle connection is kept: less than the 5 s after which trtllm-serve closes it."""


class Dispatch:
    """One request on its way to a connection.

    Args:
        on_sent: called when it has one, right before it is written there.

    Attributes:
        opened: a connection was opened for it; else it has an idle one, which the server may be closing.
        sent: it has one: the server may read it.
    """

    def __init__(self, on_sent: Callable[[], None] | None = None) -> None:
        self.opened = False
        self.sent = False
        self._on_sent = on_sent

    def send(self) -> None:
        """It has a connection."""
        self.sent = True
        on_sent, self._on_sent = self._on_sent, None  # a new connection's context keeps this object
        if on_sent is not None:
            on_sent()


_dispatch: ContextVar[Dispatch] = ContextVar("dispatch")
"""What is being sent; aiohttp's own way to tell its steps, tracing, takes a tenth of a request's time."""


class Sessions:
    """HTTP sessions by event loop, made when they are first used.

    Each is closed with its loop, or once nobody holds this object.

    Args:
        headers: of every request.
        connect_timeout: seconds for one connection.
    """

    def __init__(self, headers: Mapping[str, str], connect_timeout: float) -> None:
        self._headers = dict(headers)
        self.connect_timeout = connect_timeout
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout)
        self._sessions: dict[asyncio.AbstractEventLoop, _Open] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close_soon, self._sessions).atexit = False
        _all.add(self)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._headers, self.connect_timeout)  # what is open stays in its process

    async def send(
        self, dispatch: Dispatch, method: str, url: str, body: dict[str, Any] | None = None
    ) -> aiohttp.ClientResponse:
        """Send a request on the running loop's session; an answer that is being read when it is closed fails.

        No redirect is followed: what is asked and the key are for this server.

        Args:
            dispatch: learns how far it came.
            method: such as `POST`.
            url: where to.
            body: sent as JSON.
        """
        held = self._sessions.get(asyncio.get_running_loop())
        if held is None or held.session.closed:
            held = await self._open()
        token = _dispatch.set(dispatch)
        try:
            response = await held.session.request(method, url, json=body, allow_redirects=False)
        finally:
            _dispatch.reset(token)
        if not response.content.is_eof():  # of one that has come whole there is nothing to wait for
            held.responses.add(response)
        if held.session.closed:  # between the answer's arrival and now
            response.close()
            raise aiohttp.ClientConnectionError("the session was closed")
        return response

    async def _open(self) -> _Open:
        self._forget_dead()
        responses: weakref.WeakSet[aiohttp.ClientResponse] = weakref.WeakSet()
        keeper = _keep(self._headers, self._timeout, responses)
        held = _Open(await anext(keeper), keeper, responses)
        with self._lock:
            self._sessions[asyncio.get_running_loop()] = held
        return held

    async def close_here(self) -> None:
        """Close the running loop's session."""
        with self._lock:
            held = self._sessions.pop(asyncio.get_running_loop(), None)
        if held is not None:
            await held.close()

    async def close_all(self) -> None:
        """Close every session; those of other loops on their own loops."""
        await self.close_here()
        self.close_elsewhere()

    def close_elsewhere(self) -> None:
        """Ask the other loops to close their sessions."""
        self._forget_dead()
        with self._lock:
            sessions = dict(self._sessions)
            self._sessions.clear()
        _close_soon(sessions)

    def leave_to_parent(self) -> None:
        """Start afresh, in the child of a fork: what is open stays as it is, for the parent's loops."""
        for held in self._sessions.values():
            held.session.detach()
            _of_parents.append(held)
        self._sessions.clear()
        self._lock = threading.Lock()  # a thread that is not here may have held the old one

    def _forget_dead(self) -> None:
        """Drop what belongs to loops that are gone."""
        with self._lock:
            for loop, held in list(self._sessions.items()):
                if loop.is_closed():
                    del self._sessions[loop]
                    held.session.detach()  # closing it would need its loop


class _Connector(aiohttp.TCPConnector):
    """Hands out no idle connection on which something has come: no request asked for it.

    Does nothing at its end in a forked child: it would take the parent's sockets off the parent's loop. The two
    processes share what the loop asks for news of its sockets (on Linux an epoll instance).
    """

    def __init__(self, **options: Any) -> None:  # Any: aiohttp's own
        super().__init__(**options)
        self._process = os.getpid()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """A connection that is new, or silent since its last answer."""
        dispatch = _dispatch.get()
        connection = await super().connect(req, traces, timeout)
        while not (dispatch.opened or _is_silent(connection)):
            connection.close()
            connection = await super().connect(req, traces, timeout)
        dispatch.send()
        return connection

    def __del__(self, _warnings: ModuleType = warnings) -> None:
        if self._process == os.getpid():
            super().__del__(_warnings)


class _Open(NamedTuple):
    session: aiohttp.ClientSession
    keeper: AsyncGenerator[aiohttp.ClientSession, None]
    responses: MutableSet[aiohttp.ClientResponse]

    async def close(self) -> None:
        await self.keeper.aclose()


def _close_soon(sessions: Mapping[asyncio.AbstractEventLoop, _Open]) -> None:
    """Ask each loop to close its session; one that has ended has closed it."""
    for loop, held in sessions.items():
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(_close, held)


def _close(held: _Open) -> None:
    closing = asyncio.ensure_future(held.close())
    _closing.add(closing)
    closing.add_done_callback(_closing.discard)


async def _keep(
    headers: Mapping[str, str], timeout: aiohttp.ClientTimeout, responses: MutableSet[aiohttp.ClientResponse]
) -> AsyncGenerator[aiohttp.ClientSession, None]:
    """Hold a session open; a loop that shuts down closes its async generators, and with them this one."""
    session = aiohttp.ClientSession(
        headers=headers,
        timeout=timeout,
        json_serialize=_json,
        # The worker's own slots bound the connections.
        connector=_Connector(limit=0, keepalive_timeout=KEEP_ALIVE, socket_factory=_open),
        read_bufsize=1 << 18,
    )
    try:
        yield session
    finally:
        for response in list(responses):
            response.close()  # aiohttp leaves whoever reads a chunked answer of a closed session waiting
        await session.close()


_ENCODER = json.JSONEncoder(allow_nan=False)


def _json(body: object) -> str:
    try:
        return _ENCODER.encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequestError(f"a parameter has a value that JSON cannot hold: {error}") from error


def _is_silent(connection: Connection) -> bool:
    """Whether nothing came on an idle connection: neither bytes, read or not, nor its end."""
    protocol = connection.protocol
    if protocol is None or protocol.should_close or protocol.transport is None:
        return False
    return not _is_readable(protocol.transport.get_extra_info("socket").fileno())


def _is_readable(end: int) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([end], [], [], 0)[0])
    poll = select.poll()
    poll.register(end, select.POLLIN)
    return bool(poll.poll(0))


def _open(address: AddrInfoType) -> socket.socket:
    _dispatch.get().opened = True
    family, kind, protocol = address[:3]
    return socket.socket(family, kind, protocol)


_closing: set[asyncio.Future[None]] = set()
"""What closes, kept until it has."""

_all: weakref.WeakSet[Sessions] = weakref.WeakSet()
_of_parents: list[_Open] = []
"""What a forked child inherited: kept, since whatever is dropped may close something."""


def _leave_all_to_parent() -> None:
    for sessions in list(_all):
        sessions.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)
