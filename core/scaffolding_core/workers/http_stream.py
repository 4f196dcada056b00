"""One streamed answer over HTTP, with a limit on each wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp

from scaffolding_core.errors import BackendTimeoutError, BackendUnavailableError, WorkerError
from scaffolding_core.workers.http_errors import error_from_answer, may_succeed_later
from scaffolding_core.workers.retry import asked_wait
from scaffolding_core.workers.sessions import Sessions
from scaffolding_core.workers.sse import EventSplitter

__all__ = ["AttemptFailed", "Gate", "HttpStream"]


class AttemptFailed(Exception):
    """One attempt failed.

    Args:
        error: what to raise if it was the last.
        again: whether another attempt makes sense.
        wait: seconds that the server asks to wait before it.
        sent: whether the server may have worked for it.
        stale: the connection was an idle one that the server had closed, so that nothing was tried.
    """

    def __init__(
        self,
        error: WorkerError,
        *,
        again: bool,
        wait: float | None = None,
        sent: bool = True,
        stale: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.wait = wait
        self.sent = sent
        self.stale = stale


class Gate(Protocol):
    """What a stream waits for before it is sent, and leaves when it is closed."""

    async def enter(self) -> None:
        """Wait until the stream may be sent."""

    def leave(self) -> None:
        """The stream is closed, or was never sent; may be called again."""


class HttpStream:
    """A POST whose answer is read event by event; leaving the `async with` aborts it at the server.

    Args:
        sessions: the running loop's one sends it.
        url: gives the address once the gate is passed.
        body: to send as JSON.
        model: the model that is asked for, for errors.
        first_byte_timeout: seconds until the answer begins.
        idle_timeout: seconds between two pieces of it.
        gate: what it waits for first, whatever that takes.
    """

    def __init__(
        self,
        sessions: Sessions,
        url: Callable[[], str],
        body: dict[str, Any],
        *,
        model: str | None,
        first_byte_timeout: float,
        idle_timeout: float,
        gate: Gate | None = None,
    ) -> None:
        self._sessions = sessions
        self._address = url
        self._url = ""
        self._gate = gate
        self._body = body
        self._model = model
        self._first_byte_timeout = first_byte_timeout
        self._idle_timeout = idle_timeout
        self._response: aiohttp.ClientResponse | None = None
        self._splitter = EventSplitter()
        self._plain = False

    async def __aenter__(self) -> Self:
        try:
            if self._gate is not None:
                await self._gate.enter()
            self._url = self._address()
            session = await self._sessions.get()
            async with asyncio.timeout(self._first_byte_timeout):
                self._response = await session.post(self._url, json=self._body)
                await self._check(self._response)
        except BaseException as error:
            self.close()
            raise self._failure(error, self._first_byte_timeout) from error
        self._plain = "json" in self._response.content_type
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def events(self) -> list[bytes]:
        """The next events; an empty list once the answer has ended.

        Raises:
            AttemptFailed: it broke off, or nothing came in time.
        """
        assert self._response is not None
        try:
            async with asyncio.timeout(self._idle_timeout):
                if self._plain:
                    self._plain = False
                    return [await self._response.read()]
                while piece := await self._response.content.readany():
                    events = self._splitter.feed(piece)
                    if events:
                        return events
        except BaseException as error:
            raise self._failure(error, self._idle_timeout) from error
        return []

    def close(self) -> None:
        """Give the connection back if the answer was read whole; else close it, which aborts the request."""
        if self._gate is not None:
            self._gate.leave()
        response, self._response = self._response, None
        if response is None:
            return
        if response.content.at_eof():
            response.release()
        else:
            response.close()

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status == 200 and ("json" in response.content_type or "event-stream" in response.content_type):
            return
        body = await response.content.read(1 << 16)
        if response.status == 200:
            shown = body[:80].decode("utf-8", "replace")
            raise AttemptFailed(
                WorkerError(
                    f"{self._url} answers with {response.content_type}, which is no answer of a model server: "
                    f"check the address ({shown!r})"
                ),
                again=False,
            )
        error = error_from_answer(response.status, body, self._url, self._model)
        raise AttemptFailed(
            error,
            again=may_succeed_later(response.status),
            wait=asked_wait(response.headers),
            sent=response.status >= 500,
        )

    def _failure(self, error: BaseException, limit: float) -> BaseException:
        if isinstance(error, TimeoutError):
            return AttemptFailed(
                BackendTimeoutError(f"{self._url} sent nothing for {limit:g} s: is the server overloaded?"),
                again=True,
            )
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
            return AttemptFailed(
                BackendUnavailableError(
                    f"no server answers at {self._url}: start it, or correct the address ({error})"
                ),
                again=isinstance(error, aiohttp.ClientConnectorError),
                sent=False,
            )
        if isinstance(error, aiohttp.ClientError | ConnectionError):
            stale = self._response is None and isinstance(error, aiohttp.ServerDisconnectedError)
            return AttemptFailed(
                BackendUnavailableError(
                    f"the connection to {self._url} was lost: {error or type(error).__name__}"
                ),
                again=True,
                sent=not stale,
                stale=stale,
            )
        if isinstance(error, WorkerError):
            return AttemptFailed(error, again=True)
        return error
