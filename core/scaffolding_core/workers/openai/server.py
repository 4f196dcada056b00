"""OpenAIServer: a server that speaks OpenAI's API, as a worker reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from scaffolding_core.errors import (
    AuthenticationError,
    BadRequestError,
    IncompleteResponseError,
    ModelNotFoundError,
    WorkerError,
)
from scaffolding_core.errors.http import error_from_event, may_succeed_later, status_of_event
from scaffolding_core.workers.http.asking import Told, ask, parsed
from scaffolding_core.workers.http.endpoint import Endpoint
from scaffolding_core.workers.http.failures import AttemptFailed
from scaffolding_core.workers.http.sessions import Sessions
from scaffolding_core.workers.http.sse import Event
from scaffolding_core.workers.http.stream import Gate, HttpStream
from scaffolding_core.workers.limits import AnswerLimits
from scaffolding_core.workers.openai.choice import Choice
from scaffolding_core.workers.openai.exchange import Exchange
from scaffolding_core.workers.openai.known_servers import KnownServer, recognised
from scaffolding_core.workers.openai.model_list import ListedModels
from scaffolding_core.workers.openai.server_facts import ServerFacts, facts_of

__all__ = ["OpenAIServer"]

_LONGEST = 80


class OpenAIServer:
    """A server at an address: the streams that it answers with, and what it tells of itself.

    Args:
        base_url: such as `http://localhost:8000/v1`.
        model: the model to ask for, where it is known.
        headers: sent with every request.
        kind: what kind of server it is, where the user says so.
        connect_timeout: seconds for one connection.
        limits: of an answer.

    Attributes:
        closed: nothing more is to be sent.
        facts: what was learned of it.

    Raises:
        InvalidRequestError: an address that is none.
    """

    def __init__(
        self,
        base_url: str,
        model: str | None,
        headers: Mapping[str, str],
        *,
        kind: KnownServer | None,
        connect_timeout: float,
        limits: AnswerLimits,
    ) -> None:
        self._headers = headers
        self._given: str | None = None
        self.base_url = base_url
        self.model = model
        self._kind = kind
        self.closed = False
        self._limits = limits
        self._sessions = Sessions(headers, connect_timeout)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "facts"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self.facts = self._known()

    @property
    def base_url(self) -> str:
        """Its address, without user, password and query."""
        return self._endpoint.address

    @base_url.setter
    def base_url(self, base_url: str) -> None:
        if base_url != self._given:
            self._given, self._endpoint = base_url, Endpoint(base_url, self._headers)
            self.facts = self._known()

    @property
    def kind(self) -> KnownServer | None:
        """What kind of server it is, if that is known."""
        return self._kind or self.facts.kind

    def _known(self) -> ServerFacts:
        return facts_of(self._endpoint.url(""), self._headers)

    # Answers.

    def stream(self, exchange: Exchange, gate: Gate | None) -> HttpStream:
        """The stream of an exchange's answer, which is sent when it is entered and the gate is passed."""
        return HttpStream(
            self._sessions,
            exchange,
            lambda: self._endpoint,
            model=self.model,
            limits=self._limits,
            gate=gate,
        )

    def read(self, event: Event, exchange: Exchange) -> None:
        """Read one event of an answer.

        Raises:
            AttemptFailed: it is no part of an answer, or reports an error.
        """
        if event.data == b"[DONE]":  # proves nothing, and some servers never send it
            return
        chunk = parsed(event.data) if event.failed else self._chunk(event.data, exchange)
        status = status_of_event(chunk, event.failed)
        if status is not None:
            reported = error_from_event(status, chunk, self.base_url, self.model, self._endpoint.hide)
            raise AttemptFailed(reported, again=may_succeed_later(status, reported), status=status)

    def _chunk(self, data: bytes, exchange: Exchange) -> object:
        try:
            chunk = exchange.read(data)
            if self.kind is None and exchange.whole:  # the last pieces have the marks
                self.facts.kind = recognised(chunk)
            return chunk
        except WorkerError as error:
            shown = self._endpoint.quoted(data.decode("utf-8", "replace"), _LONGEST)
            failure = IncompleteResponseError(f"{self.base_url} sent what is no answer: {shown!r}")
            cause = self._endpoint.cause(error)
        raise AttemptFailed(failure, again=True) from cause

    def incomplete(self, choice: Choice) -> WorkerError:
        """What to raise where an answer has ended and a choice is not whole."""
        reason = self._endpoint.quoted(choice.finish_reason or "", _LONGEST)
        how = f"with {reason!r}" if reason else "without saying why"
        return IncompleteResponseError(f"the answer of {self.base_url} ended {how}: it is not whole")

    # What it tells of itself.

    async def listed_models(self) -> ListedModels:
        """The models that it lists, as it says now.

        Raises:
            WorkerError: it does not answer, or lists none.
        """
        try:
            listed = ListedModels((await self.ask("/models")).what)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            cause = self._endpoint.cause(error)
        else:
            if not listed.names:
                raise ModelNotFoundError(f"{self.base_url} lists no model: name one with model=")
            self.facts.kind = self.facts.kind or listed.server
            return listed
        raise WorkerError(
            f"{self.base_url} does not list its models: correct the address, most end in /v1, "
            "or name a model with model="
        ) from cause

    async def is_recognised(self) -> bool:
        """Whether its list of models, which it is asked for once, tells what kind of server it is."""
        with suppress(WorkerError):
            await self.facts.models.answer(self.listed_models)
        return self.kind is not None

    async def is_healthy(self) -> bool:
        """Whether it says so itself; False if it has no address for that, or not for us.

        Raises:
            WorkerError: it does not answer, or says that it is not.
        """
        try:
            return (await self.ask("/health", beside="/v1")).served
        except (AuthenticationError, BadRequestError, ModelNotFoundError):
            return False

    async def slot_window(self) -> int | None:
        """The context window of each of llama.cpp's slots; None if it does not tell."""
        try:
            properties = (await self.ask("/props", beside="/v1")).what
            window = properties["default_generation_settings"]["n_ctx"]
        except (LookupError, TypeError, ValueError, WorkerError):
            return None
        return window if isinstance(window, int) and window > 0 else None

    async def ask(self, route: str, body: dict[str, Any] | None = None, *, beside: str = "") -> Told:
        """Ask it for what is no answer of its model; see `ask`.

        Raises:
            WorkerError: there is no answer, or a refusal.
            ValueError: it tells too much.
        """
        return await ask(self._sessions, self._endpoint, route, body, beside=beside, model=self.model)

    # The end.

    async def release_loop(self) -> None:
        """Close the running loop's connections."""
        await self._sessions.close_here()

    async def aclose(self) -> None:
        """Close all connections for good."""
        self._close()
        await self._sessions.close_all()

    def close(self) -> None:
        """Close all connections for good, from a thread without a running loop."""
        self._close()
        self._sessions.close_elsewhere()

    def _close(self) -> None:
        self.closed = True
        self.facts = ServerFacts()  # another server may come to the address
