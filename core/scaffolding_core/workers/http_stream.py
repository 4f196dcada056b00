"""One streamed answer over HTTP, with a limit on each wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self

import aiohttp

from scaffolding_core.errors import (
    BackendTimeoutError,
    BackendUnavailableError,
    IncompleteResponseError,
    WorkerError,
)
from scaffolding_core.errors.http import error_from_answer, may_succeed_later
from scaffolding_core.workers.retry import asked_wait
from scaffolding_core.workers.sessions import Dispatch, Sessions
from scaffolding_core.workers.sse import LARGEST_EVENT, EventSplitter

__all__ = ["AttemptFailed", "Gate", "HttpStream", "unreachable"]


class AttemptFailed(Exception):
    """One attempt failed.

    Args:
        error: what to raise if it was the last.
        again: whether another attempt makes sense.
        wait: seconds that the server asks to wait before it, at least.
        sent: whether the server may have worked for it.
        stale: it met an idle connection that the server was closing, which says nothing of the server.
        status: that the server answered with, where it reports an error.
    """

    def __init__(
        self,
        error: WorkerError,
        *,
        again: bool,
        wait: float = 0.0,
        sent: bool = True,
        stale: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.wait = wait
        self.sent = sent
        self.stale = stale
        self.status = status


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
        request: gives the address and what to send there as JSON, once the gate is passed.
        sent: called when it goes out to the server.
        model: the model that is asked for, for errors.
        first_byte_timeout: seconds until the answer begins.
        idle_timeout: seconds between two pieces of it.
        gate: what it waits for first, whatever that takes.
    """

    def __init__(
        self,
        sessions: Sessions,
        request: Callable[[], tuple[str, dict[str, Any]]],
        sent: Callable[[], None],
        *,
        model: str | None,
        first_byte_timeout: float,
        idle_timeout: float,
        gate: Gate | None = None,
    ) -> None:
        self._sessions = sessions
        self._request = request
        self._url = ""
        self._gate = gate
        self._model = model
        self._first_byte_timeout = first_byte_timeout
        self._idle_timeout = idle_timeout
        self._dispatch = Dispatch(sent)
        self._response: aiohttp.ClientResponse | None = None
        self._splitter = EventSplitter()
        self._plain = False

    async def __aenter__(self) -> Self:
        try:
            if self._gate is not None:
                await self._gate.enter()
            self._url, body = self._request()
            async with asyncio.timeout(self._first_byte_timeout):
                self._response = await self._sessions.send(self._dispatch, "POST", self._url, body)
                await self._check(self._response)
        except Exception as error:
            self._raise(error, self._first_byte_timeout)
        except BaseException:
            self.close()
            raise
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
        if self._response.content.at_eof():
            return []
        try:
            async with asyncio.timeout(self._idle_timeout):
                if self._plain:
                    return [await _whole(self._response.content)]
                while piece := await self._response.content.readany():
                    events = self._splitter.feed(piece)
                    if events:
                        return events
        except Exception as error:
            self._raise(error, self._idle_timeout)
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
            wait=asked_wait(response.headers) or 0.0,
            sent=response.status >= 500,
            status=response.status,
        )

    def _raise(self, error: Exception, limit: float) -> NoReturn:
        failed = self._failure(error, limit)
        self.close()
        if failed is None:
            raise error
        raise failed from error

    def _failure(self, error: Exception, limit: float) -> AttemptFailed | None:
        if isinstance(error, aiohttp.ServerTimeoutError):  # the only limit that the session has of its own
            return AttemptFailed(
                BackendUnavailableError(
                    f"no server answers at {self._url} within {self._sessions.connect_timeout:g} s: "
                    "start it, or correct the address"
                ),
                again=True,
                sent=False,
            )
        if isinstance(error, TimeoutError):
            return AttemptFailed(
                BackendTimeoutError(f"{self._url} sent nothing for {limit:g} s: is the server overloaded?"),
                again=True,
            )
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
            return AttemptFailed(
                unreachable(self._url, error),
                again=isinstance(error, aiohttp.ClientConnectorError),
                sent=False,
            )
        # A RuntimeError is aiohttp's way to say that the session was closed meanwhile.
        if isinstance(error, aiohttp.ClientError | ConnectionError | RuntimeError):
            sent = self._dispatch.sent
            stale = sent and self._response is None and not self._dispatch.opened
            return AttemptFailed(
                BackendUnavailableError(
                    f"the connection to {self._url} was lost: {error or type(error).__name__}"
                ),
                again=True,
                sent=sent,
                stale=stale,
            )
        if isinstance(error, WorkerError):
            return AttemptFailed(error, again=True, sent=self._response is not None)
        return None


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """An answer that is not streamed."""
    body = bytearray()
    while piece := await content.readany():
        body += piece
        if len(body) > LARGEST_EVENT:
            raise IncompleteResponseError(f"the server sent an answer of more than {LARGEST_EVENT} bytes")
    return bytes(body)


def unreachable(url: str, error: Exception) -> BackendUnavailableError:
    """No connection; says why, without what aiohttp says around it."""
    why = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return BackendUnavailableError(f"no server answers at {url}: start it, or correct the address ({why})")
