"""One answer over HTTP, with a limit on each wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp

from scaffolding_core.errors import (
    BackendTimeoutError,
    BackendUnavailableError,
    IncompleteResponseError,
    WorkerError,
)
from scaffolding_core.workers.http.endpoint import Endpoint
from scaffolding_core.workers.http.failures import AttemptFailed, broken, refusal, unreachable
from scaffolding_core.workers.http.sessions import Dispatch, Sessions
from scaffolding_core.workers.http.sse import Event, EventSplitter, Splitter, WholeBody
from scaffolding_core.workers.limits import AnswerLimits

__all__ = ["Gate", "HttpStream", "Outgoing"]

_LONGEST_END = 5.0
"""Seconds between the last piece of an answer and its end."""


class Gate(Protocol):
    """What a stream waits for before it is sent, and leaves when it is closed."""

    async def enter(self) -> None:
        """Wait until the stream may be sent."""

    def leave(self) -> None:
        """The stream is closed, or was never sent; may be called again."""


class Outgoing(Protocol):
    """What is asked, over all its attempts.

    Attributes:
        route: where it goes, below the server's address.
        headers_due: until when the server has to answer at all; None where it has, or was not asked.
        paused: an answer has paused too long before: if another does, the server is not asked again.
    """

    route: str
    headers_due: float | None
    paused: bool

    @property
    def asked(self) -> int:
        """How many choices the attempt has asked for."""

    def send(self) -> dict[str, Any]:  # Any: whatever JSON holds
        """The body to send now."""

    def sent(self) -> None:
        """It goes out to the server."""


class HttpStream:
    """A POST whose answer is read event by event; leaving the `async with` aborts it at the server.

    Args:
        sessions: the running loop's one sends it.
        outgoing: what it asks.
        endpoint: of the server, once the gate is passed.
        model: the model that is asked for, for errors.
        limits: of its waits and its size.
        gate: what it waits for first, whatever that takes.

    Attributes:
        begun: the first token has come, says whoever reads the events: from there on they may not pause for long.
        whole: all that was asked for has come: only what it cost is waited for, and not for long.
        ended: the answer has ended: no event comes any more.
    """

    def __init__(
        self,
        sessions: Sessions,
        outgoing: Outgoing,
        endpoint: Callable[[], Endpoint],
        *,
        model: str | None,
        limits: AnswerLimits,
        gate: Gate | None = None,
    ) -> None:
        self.begun = False
        self.whole = False
        self.ended = False
        self._loop = asyncio.get_running_loop()
        self._sessions = sessions
        self._outgoing = outgoing
        self._endpoint = endpoint
        self._gate = gate
        self._model = model
        self._limits = limits
        self._dispatch = Dispatch(self._sent)
        self._streamed = True
        self._silence: asyncio.Timeout | None = None
        self._first_due: float | None = None
        self._response: aiohttp.ClientResponse | None = None
        self._splitter: Splitter
        self._room = 0
        self._broken: Exception | None = None

    async def __aenter__(self) -> Self:
        try:
            if self._gate is not None:
                await self._gate.enter()
            self._response = await self._open()
            self._outgoing.headers_due = None
            await self._check(self._response)
            return self
        except Exception as error:
            failure = error
        except BaseException:
            self.close()
            raise
        raise self._failed(failure)  # outside of the handler, which would make it the context of what is raised

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def events(self) -> list[Event]:
        """The next events; none where the answer has `ended` without another.

        Raises:
            AttemptFailed: it broke off, is too large, or nothing came in time.
        """
        try:
            return await self._read()
        except Exception as error:
            failure = error
        raise self._failed(failure)

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

    async def _open(self) -> aiohttp.ClientResponse:
        due = self._outgoing.headers_due
        if due is not None and due <= self._loop.time():
            raise TimeoutError
        body = self._outgoing.send()
        self._streamed = bool(body.get("stream"))
        self._room = self._limits.answer_bytes * self._outgoing.asked
        response = self._sessions.send(self._dispatch, "POST", self._endpoint().url(self._outgoing.route), body)
        if not self._streamed:  # its headers come with its finished answer
            return await response
        async with asyncio.timeout(None) as self._silence:
            return await response

    def _sent(self) -> None:
        self._outgoing.sent()
        if self._silence is not None:
            if self._outgoing.headers_due is None:
                self._outgoing.headers_due = self._loop.time() + self._limits.headers
            self._silence.reschedule(self._outgoing.headers_due)

    async def _read(self) -> list[Event]:
        assert self._response is not None
        if self._broken is not None:
            raise self._broken
        content, due = self._response.content, self._due()
        events: list[Event] = []
        try:
            while not content.at_eof():
                piece = content.read_nowait() or await _next(content, due)
                self._room -= len(piece)
                if self._room < 0:
                    raise self._too_large()
                events += self._splitter.feed(piece)
                if events and not content.at_eof():
                    return events
        except (aiohttp.ClientError, ConnectionError) as error:
            self._broken = error
            events = [event for event in self._splitter.finish() if _is_json(event.data)]
            if not events:
                raise
            return events
        self.ended = True
        return events + self._splitter.finish()

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        kind = response.headers.get("Content-Type", "application/octet-stream").partition(";")[0].lower()
        if response.status != 200:
            raise await refusal(response, self._endpoint(), self._model)
        if "event-stream" not in kind and "json" not in kind:
            where = self._endpoint()
            raise AttemptFailed(
                WorkerError(
                    f"{where.address} answers with {where.quoted(kind, 80)}, which is no answer of a model "
                    "server: check base_url"
                ),
                again=False,
            )
        self._splitter = WholeBody() if "json" in kind else EventSplitter()
        if self._streamed:
            self._first_due = self._loop.time() + self._limits.first_byte

    def _due(self) -> float | None:
        """Until when the next events have to come."""
        if not self._streamed:
            return None
        if not self.begun:
            return self._first_due
        pause = min(self._limits.idle, _LONGEST_END) if self.whole else self._limits.idle
        return self._loop.time() + pause

    def _too_large(self) -> AttemptFailed:
        return AttemptFailed(
            IncompleteResponseError(
                f"{self._endpoint().address} sent an answer of more than {self._limits.answer_bytes} bytes: "
                "ask for less, or raise max_answer_bytes"
            ),
            again=False,
        )

    def _failed(self, error: Exception) -> Exception:
        """Close; returns what to raise."""
        failed = self._failure(error)
        self.close()
        if failed is None or failed is error:
            return error
        failed.__cause__ = self._endpoint().cause(error)
        return failed

    def _failure(self, error: Exception) -> AttemptFailed | None:
        if isinstance(error, AttemptFailed):
            return error
        where, sent = self._endpoint(), self._dispatch.sent
        if isinstance(error, aiohttp.ServerTimeoutError):  # the only limit that the session has of its own
            return AttemptFailed(
                BackendUnavailableError(
                    f"no server answers at {where.address} within {self._sessions.connect_timeout:g} s: "
                    "start it, or correct the address"
                ),
                again=True,
                sent=False,
            )
        if isinstance(error, TimeoutError):
            again = self._response is not None and not self._outgoing.paused
            self._outgoing.paused = True
            return AttemptFailed(BackendTimeoutError(f"{where.address} {self._late()}"), again=again)
        if not sent and isinstance(error, aiohttp.ClientError | OSError):
            return AttemptFailed(
                unreachable(error, where), again=not isinstance(error, aiohttp.InvalidURL), sent=False
            )
        # A RuntimeError is aiohttp's way to say that the session was closed meanwhile.
        if isinstance(error, aiohttp.ClientError | ConnectionError | RuntimeError):
            stale = sent and self._response is None and not self._dispatch.opened
            return AttemptFailed(broken(error, where), again=True, sent=sent, stale=stale)
        if isinstance(error, WorkerError):
            return AttemptFailed(error, again=True, sent=self._response is not None)
        return None

    def _late(self) -> str:
        if self._response is None:
            return f"did not begin to answer for {self._limits.headers:g} s: if it queues, raise headers_timeout"
        if not self.begun:
            return f"sent no token for {self._limits.first_byte:g} s: if it queues, raise first_byte_timeout"
        return f"sent nothing for {self._limits.idle:g} s: is it overloaded? Else raise idle_timeout"


async def _next(content: aiohttp.StreamReader, due: float | None) -> bytes:
    if due is None:
        return await content.readany()
    async with asyncio.timeout_at(due):
        return await content.readany()


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
