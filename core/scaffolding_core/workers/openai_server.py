"""OpenAIServer: a server that speaks OpenAI's API, as a worker reaches it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from scaffolding_core.errors import IncompleteResponseError, InvalidRequestError, WorkerError
from scaffolding_core.errors.http import (
    error_from_answer,
    error_from_event,
    may_succeed_later,
    status_of_event,
)
from scaffolding_core.workers.exchange import Exchange
from scaffolding_core.workers.http_stream import AttemptFailed, Gate, HttpStream, unreachable
from scaffolding_core.workers.model_list import ListedModels
from scaffolding_core.workers.openai_wire import Choice
from scaffolding_core.workers.sessions import Dispatch, Sessions

__all__ = ["OpenAIServer"]


class OpenAIServer:
    """A server at an address: the streams that it answers with, and what it tells of itself.

    Args:
        base_url: such as `http://localhost:8000/v1`.
        model: the model to ask for, where it is known.
        headers: sent with every request.
        connect_timeout: seconds for one connection.
        first_byte_timeout: seconds until an answer begins.
        idle_timeout: seconds between two pieces of an answer.

    Attributes:
        closed: nothing more is to be sent.

    Raises:
        InvalidRequestError: an address that is none.
    """

    def __init__(
        self,
        base_url: str,
        model: str | None,
        headers: Mapping[str, str],
        *,
        connect_timeout: float,
        first_byte_timeout: float,
        idle_timeout: float,
    ) -> None:
        _check_address(base_url)
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.closed = False
        self._first_byte_timeout = first_byte_timeout
        self._idle_timeout = idle_timeout
        self._sessions = Sessions(headers, connect_timeout)

    # Answers.

    def stream(self, exchange: Exchange, gate: Gate | None) -> HttpStream:
        """The stream of an exchange's answer, which is sent when it is entered and the gate is passed."""
        return HttpStream(
            self._sessions,
            lambda: (self.base_url + exchange.route, exchange.send()),
            exchange.sent,
            model=self.model,
            first_byte_timeout=self._first_byte_timeout,
            idle_timeout=self._idle_timeout,
            gate=gate,
        )

    def read(self, data: bytes, exchange: Exchange) -> None:
        """Read one event of an answer.

        Raises:
            AttemptFailed: it is no part of an answer, or reports an error.
        """
        if data == b"[DONE]":  # proves nothing, and some servers never send it
            return
        try:
            chunk = exchange.read(data)
        except WorkerError as error:
            raise AttemptFailed(error, again=True) from error
        status = status_of_event(chunk)
        if status is not None:
            reported = error_from_event(status, chunk, self.base_url, self.model)
            raise AttemptFailed(reported, again=may_succeed_later(status), status=status)

    def incomplete(self, choice: Choice) -> WorkerError:
        """What to raise where an answer has ended and a choice is not whole."""
        how = f"with {choice.finish_reason!r}" if choice.finish_reason else "without saying why"
        return IncompleteResponseError(f"the answer of {self.base_url} ended {how}: it is not whole")

    # What it tells of itself.

    async def listed_models(self) -> ListedModels:
        """The models that it lists.

        Raises:
            WorkerError: it does not answer, or lists none.
        """
        try:
            return ListedModels(await self._get(f"{self.base_url}/models"))
        except (KeyError, TypeError, ValueError) as error:
            raise WorkerError(
                f"{self.base_url} does not list its models: correct the address, most end in /v1, "
                "or name a model with model="
            ) from error

    async def slot_window(self) -> int | None:
        """The context window of each of llama.cpp's slots; None if it does not tell."""
        try:
            properties = await self._get(f"{self.base_url.removesuffix('/v1')}/props")
            window = properties["default_generation_settings"]["n_ctx"]
        except (KeyError, TypeError, ValueError, WorkerError):
            return None
        return window if isinstance(window, int) and window > 0 else None

    async def _get(self, url: str) -> Any:  # Any: whatever JSON holds
        try:
            async with asyncio.timeout(30), await self._sessions.send(Dispatch(), "GET", url) as response:
                if response.status not in (200, 404, 405):
                    raise error_from_answer(response.status, await response.read(), url, self.model)
                return await response.json(content_type=None)
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise unreachable(self.base_url, error) from error

    # The end.

    async def release_loop(self) -> None:
        """Close the running loop's connections."""
        await self._sessions.close_here()

    async def aclose(self) -> None:
        """Close all connections for good."""
        self.closed = True
        await self._sessions.close_all()

    def close(self) -> None:
        """Close all connections for good, from a thread without a running loop."""
        self.closed = True
        self._sessions.close_elsewhere()


def _check_address(base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InvalidRequestError(f"base_url must be like http://localhost:8000/v1, got {base_url!r}")
