"""RewardServer: a server with a reward model: its address, its attempts, and the route by which it scores."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from scaffolding_core.errors import (
    AuthenticationError,
    BackendTimeoutError,
    BackendUnavailableError,
    BadRequestError,
    ClosedError,
    IncompleteResponseError,
    ModelNotFoundError,
    RateLimitError,
    ServerError,
    WorkerError,
)
from scaffolding_core.messages import Usage
from scaffolding_core.worker import before_sending, retried_elsewhere
from scaffolding_core.workers.http.asking import Told, ask
from scaffolding_core.workers.http.endpoint import Endpoint
from scaffolding_core.workers.http.retry import backoff
from scaffolding_core.workers.http.sessions import Sessions

__all__ = ["RewardServer", "is_away", "may_pass"]

_AGAIN = (BackendUnavailableError, RateLimitError, ServerError, IncompleteResponseError)
"""What may succeed when it is tried again."""


def is_away(error: WorkerError) -> bool:
    """Whether a server is there for nobody for now, whatever it is asked."""
    if isinstance(error, ServerError):
        return error.status in (502, 503, 504)
    return isinstance(error, _AGAIN)


def may_pass(error: WorkerError) -> bool:
    """Whether a failure may be none when the same is asked again."""
    return isinstance(error, _AGAIN)


class RewardServer:
    """A server with a reward model.

    Args:
        url: its address, with or without `/v1`.
        model: its name there; None takes the first that it lists, or none where it lists none.
        headers: sent with every request.
        most: attempts for each request, the first included.
        timeout: seconds for each request.
        connect_timeout: seconds for one connection.

    Attributes:
        model: as it was named, or as the server has told.
        closed: nothing more is to be sent.
    """

    def __init__(
        self,
        url: str,
        model: str | None,
        headers: Mapping[str, str],
        *,
        most: int,
        timeout: float,
        connect_timeout: float,
    ) -> None:
        self.model = model
        self.closed = False
        self._endpoint = Endpoint(url.rstrip("/").removesuffix("/v1"), headers)
        self._sessions = Sessions(headers, connect_timeout)
        self._most = most
        self._timeout = timeout
        self._random = random.Random()

    @property
    def address(self) -> str:
        """Its address, without what is secret."""
        return self._endpoint.address

    async def post(
        self,
        path: str,
        body: dict[str, Any],  # Any: JSON
        paid: Usage,
        *,
        again: Callable[[WorkerError], bool] = may_pass,
    ) -> Told:
        """Post a request until it is answered, or until another attempt makes no sense.

        Args:
            path: below the server's root.
            body: what is asked, but for the model.
            paid: attempts are added to it.
            again: the failures after which it is tried again.

        Raises:
            WorkerError: the last attempt failed.
        """
        named = body if self.model is None else {"model": self.model, **body}
        attempt = 0
        while True:
            if self.closed:
                raise ClosedError(f"the worker of {self.address} is closed: make a new one")
            gate = before_sending.get()
            if gate is not None:
                await gate()
            attempt += 1
            paid.calls += 1
            paid.lost_calls += 1
            try:
                told = await self._ask(path, named)
            except WorkerError as error:
                if not error.sent:
                    paid.calls -= 1
                    paid.lost_calls -= 1
                elif error.status is not None:
                    paid.lost_calls -= 1
                wait = self._wait_after(error, attempt)
                if wait is None or not again(error):
                    error.attempts = attempt
                    raise
            else:
                paid.lost_calls -= 1
                return told
            await asyncio.sleep(wait)

    def _wait_after(self, error: WorkerError, attempt: int) -> float | None:
        """Seconds until the next attempt; None for none."""
        most = 1 if retried_elsewhere.get() else self._most
        wait = (error.retry_after or 0.0) + backoff(attempt, self._random)
        return None if attempt >= most or math.isinf(wait) else wait

    async def _ask(self, path: str, body: dict[str, Any] | None) -> Told:
        try:
            return await ask(self._sessions, self._endpoint, path, body, model=self.model, seconds=self._timeout)
        except ValueError as error:
            raise WorkerError(f"{self.address} told too much at {path}: {error}") from error

    async def learn_model(self) -> None:
        """Ask for the model's name, where none is given: of its list of models, or of its properties.

        Raises:
            BackendUnavailableError, BackendTimeoutError, AuthenticationError: the server is not there, is
                silent, or refuses the key.
        """
        for path, name in (("/v1/models", _listed), ("/info", _of_tei), ("/get_model_info", _of_sglang)):
            try:
                told = await self._ask(path, None)
            except (BackendUnavailableError, BackendTimeoutError, AuthenticationError):
                raise
            except WorkerError:
                continue
            with suppress(LookupError, TypeError, AttributeError):
                self.model = self.model or name(told.what)
            if self.model is not None:
                return

    def absent(self, told: Told, path: str) -> WorkerError:
        """What to raise where nothing is served at a path, or not to a model of that name."""
        text = str(told.what)
        if isinstance(told.what, Mapping) and "error" in told.what and "model" in text.lower():
            return ModelNotFoundError(
                f"{self.address} does not serve the model {self.model!r}: {self._endpoint.quoted(text, 200)}"
            )
        return BadRequestError(f"{self.address} serves nothing at {path}")

    def quoted(self, what: object) -> str:
        """What the server has sent, as an error may quote it."""
        return self._endpoint.quoted(str(what), 200)

    async def check_health(self) -> None:
        """Ask whether it is well.

        Raises:
            WorkerError: it is not, or not there.
        """
        await self._ask("/health", None)

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


# Any: each looks into what a server has told, whatever that is.


def _listed(told: Any) -> str:
    return str(told["data"][0]["id"])


def _of_tei(told: Any) -> str:
    return str(told["model_id"])


def _of_sglang(told: Any) -> str:
    return str(told["model_path"])
