"""One HTTP session for each event loop: a client works only on the loop that it was made on."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import weakref
from collections.abc import AsyncGenerator, Mapping, MutableSet
from contextvars import ContextVar
from typing import Any, NamedTuple

import aiohttp
from aiohttp import AddrInfoType

from scaffolding_core.errors import InvalidRequestError

__all__ = ["Connection", "Sessions", "connection"]

KEEP_ALIVE = 4.0
"""Seconds that an idle connection is kept: less than the 5 s after which trtllm-serve closes it."""


class Connection:
    """What a request is sent on.

    Attributes:
        opened: it was opened for this request; else it was an idle one, which the server may be closing.
    """

    opened = False


connection: ContextVar[Connection] = ContextVar("connection")
"""Set before a request is sent; aiohttp's own way to tell this, tracing, takes a tenth of a request's time."""


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
        self._process = os.getpid()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._headers, self.connect_timeout)  # what is open stays in its process

    async def get(self) -> aiohttp.ClientSession:
        """The running loop's session."""
        return (await self._open()).session

    async def post(self, url: str, body: dict[str, Any]) -> aiohttp.ClientResponse:
        """Send JSON on the running loop's session; an answer that is being read when it is closed fails."""
        held = await self._open()
        response = await held.session.post(url, json=body)
        held.responses.add(response)
        if held.session.closed:  # between the answer's arrival and now
            response.close()
            raise aiohttp.ClientConnectionError("the session was closed")
        return response

    async def _open(self) -> _Open:
        loop = asyncio.get_running_loop()
        held = self._sessions.get(loop)
        if held is not None and not held.session.closed and self._process == os.getpid():
            return held
        self._forget_dead()
        responses: weakref.WeakSet[aiohttp.ClientResponse] = weakref.WeakSet()
        keeper = _keep(self._headers, self._timeout, responses)
        held = _Open(await anext(keeper), keeper, responses)
        with self._lock:
            self._sessions[loop] = held
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

    def _forget_dead(self) -> None:
        """Drop what belongs to loops that are gone, or to the process that forked this one."""
        forked = self._process != os.getpid()
        self._process = os.getpid()
        with self._lock:
            for loop, held in list(self._sessions.items()):
                if forked or loop.is_closed():
                    del self._sessions[loop]
                    held.session.detach()  # closing it would need its loop


class _Open(NamedTuple):
    session: aiohttp.ClientSession
    keeper: AsyncGenerator[aiohttp.ClientSession, None]
    responses: MutableSet[aiohttp.ClientResponse]

    async def close(self) -> None:
        await self.keeper.aclose()


def _close_soon(sessions: Mapping[asyncio.AbstractEventLoop, _Open]) -> None:
    """Ask each loop to close its session."""
    for loop, held in sessions.items():
        closing = held.close()
        try:
            asyncio.run_coroutine_threadsafe(closing, loop)
        except RuntimeError:  # the loop is closed
            closing.close()


async def _keep(
    headers: Mapping[str, str], timeout: aiohttp.ClientTimeout, responses: MutableSet[aiohttp.ClientResponse]
) -> AsyncGenerator[aiohttp.ClientSession, None]:
    """Hold a session open; a loop that shuts down closes its async generators, and with them this one."""
    session = aiohttp.ClientSession(
        headers=headers,
        timeout=timeout,
        json_serialize=_json,
        # The worker's own slots bound the connections.
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE, socket_factory=_open),
        read_bufsize=1 << 18,
    )
    try:
        yield session
    finally:
        for response in list(responses):
            response.close()  # aiohttp leaves whoever reads a chunked answer of a closed session waiting
        await session.close()


def _json(body: object) -> str:
    try:
        return json.dumps(body, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"a parameter has a value that JSON cannot hold: {error}") from error


def _open(address: AddrInfoType) -> socket.socket:
    connection.get(Connection()).opened = True
    family, kind, protocol = address[:3]
    return socket.socket(family, kind, protocol)
