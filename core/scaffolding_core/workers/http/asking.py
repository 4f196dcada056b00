"""Asking a server for what is no answer of its model: small, and told at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

import aiohttp

from scaffolding_core.errors import BackendTimeoutError, WorkerError
from scaffolding_core.workers.http.endpoint import Endpoint
from scaffolding_core.workers.http.failures import broken, refusal, unreachable
from scaffolding_core.workers.http.sessions import Dispatch, Sessions

__all__ = ["Told", "ask", "parsed"]

_LARGEST = 8 << 20
"""Bytes of a list of models, or of other properties; the longest lists of services have one."""

_SECONDS = 30.0
_NAME_MODEL = " So as not to ask for its models, name one with model="


class Told(NamedTuple):
    """What a server says.

    Attributes:
        served: whether there is something at the address that was asked.
        what: as JSON, or the text that it is not.
    """

    served: bool
    what: Any  # whatever JSON holds


async def ask(
    sessions: Sessions,
    endpoint: Endpoint,
    route: str,
    body: dict[str, Any] | None = None,
    *,
    beside: str = "",
    model: str | None = None,
    seconds: float | None = None,
) -> Told:
    """Ask a server.

    Args:
        sessions: the running loop's one asks.
        endpoint: of the server.
        route: below its address.
        body: is posted, as JSON; None gets.
        beside: last part of the address that is left out.
        model: for errors.
        seconds: until its whole answer is there; 30 unless said.

    Raises:
        WorkerError: there is no answer, or a refusal.
        ValueError: it tells too much.
    """
    seconds = _SECONDS if seconds is None else seconds
    dispatch, method = Dispatch(), "GET" if body is None else "POST"
    try:
        async with (
            asyncio.timeout(seconds),
            await sessions.send(dispatch, method, endpoint.url(route, without=beside), body) as response,
        ):
            served = response.status not in (404, 405)
            if served and response.status != 200:
                raise (await refusal(response, endpoint, model)).error
            return Told(served, parsed(await _whole(response)))
    except (OSError, aiohttp.ClientError) as error:
        if dispatch.sent and isinstance(error, TimeoutError):
            failure: WorkerError = BackendTimeoutError(
                f"{endpoint.address} did not tell within {seconds:g} s what it was asked at {route}: is it "
                f"overloaded?{_NAME_MODEL if body is None else ''}"
            )
        else:
            failure = (broken if dispatch.sent else unreachable)(error, endpoint)
            failure.sent = dispatch.sent
        cause = endpoint.cause(error)
    raise failure from cause


def parsed(data: bytes) -> object:
    """JSON, or the text that it is not."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace")


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while piece := await response.content.readany():
        body += piece
        if len(body) > _LARGEST:
            raise ValueError(f"more than {_LARGEST} bytes")
    return bytes(body)
