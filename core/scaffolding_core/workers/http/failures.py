"""Failures: how an attempt ended without an answer, and whether another makes sense."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urljoin

import aiohttp

from scaffolding_core.errors import BackendUnavailableError, BadRequestError, IncompleteResponseError, WorkerError
from scaffolding_core.errors.http import error_from_answer, may_succeed_later
from scaffolding_core.workers.http.endpoint import Endpoint, open_address
from scaffolding_core.workers.http.retry import asked_wait

__all__ = ["AttemptFailed", "broken", "refusal", "unreachable"]

_LARGEST_REFUSAL = 1 << 20
_REFUSAL_SECONDS = 5.0
_LONGEST = 300


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
        error.sent, error.status, error.retry_after = sent, status, wait or None
        self.error = error
        self.again = again
        self.wait = wait
        self.sent = sent
        self.stale = stale
        self.status = status

    @property
    def redirects(self) -> bool:
        """Whether the server pointed elsewhere."""
        return self.status is not None and self.status < 400


async def refusal(response: aiohttp.ClientResponse, endpoint: Endpoint, model: str | None) -> AttemptFailed:
    """What an answer means whose status is no success; reads it, for some seconds at most."""
    status = response.status
    if 300 <= status < 400:
        error: WorkerError = _redirect(response, endpoint)
    else:
        error = error_from_answer(status, await _text(response), endpoint.address, model, endpoint.hide)
    return AttemptFailed(
        error,
        again=may_succeed_later(status, error),
        wait=asked_wait(response.headers) or 0.0,
        sent=status >= 500,
        status=status,
    )


def unreachable(error: Exception, endpoint: Endpoint) -> BackendUnavailableError:
    """No connection; says why, without what aiohttp says around it."""
    why = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return BackendUnavailableError(
        f"no server answers at {endpoint.address}: start it, or correct the address "
        f"({endpoint.quoted(str(why), _LONGEST)})"
    )


def broken(error: Exception, endpoint: Endpoint) -> WorkerError:
    """A connection that was lost, or brought what is no HTTP."""
    if isinstance(error, aiohttp.ClientResponseError):
        why = error.message.partition("\n")[0]  # below it is what the server has sent
        return IncompleteResponseError(
            f"{endpoint.address} answered with what is no HTTP: {endpoint.quoted(why, _LONGEST)}"
        )
    why = endpoint.quoted(str(error) or type(error).__name__, _LONGEST)
    return BackendUnavailableError(f"the connection to {endpoint.address} was lost: {why}")


def _redirect(response: aiohttp.ClientResponse, endpoint: Endpoint) -> WorkerError:
    try:
        location = open_address(urljoin(endpoint.address, response.headers["location"]))
    except (KeyError, ValueError):
        location = "nowhere"
    return BadRequestError(
        f"{endpoint.address} redirects ({response.status}) to {endpoint.quoted(location, _LONGEST)}, where keys "
        "and prompts are not sent unasked: give that address as base_url"
    )


async def _text(response: aiohttp.ClientResponse) -> str:
    """What there is of an answer's body, whole unless it is too long, too slow or broken."""
    body = bytearray()
    with suppress(TimeoutError, OSError, aiohttp.ClientError):
        async with asyncio.timeout(_REFUSAL_SECONDS):
            while len(body) < _LARGEST_REFUSAL and (piece := await response.content.readany()):
                body += piece
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        with suppress(LookupError):
            return body.decode(response.charset or "latin-1", "replace")
        return body.decode("latin-1")
