"""Attempts: an exchange is sent until it is answered, or until another attempt makes no sense."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from scaffolding_core.errors import AuthenticationError, BadRequestError, ClosedError, WorkerError
from scaffolding_core.worker import before_sending, retried_elsewhere
from scaffolding_core.workers.http.failures import AttemptFailed
from scaffolding_core.workers.http.retry import backoff
from scaffolding_core.workers.http.stream import Gate, HttpStream
from scaffolding_core.workers.openai.exchange import Exchange
from scaffolding_core.workers.openai.server import OpenAIServer

__all__ = ["Apart", "Attempts"]

T = TypeVar("T")


class Apart(Exception):
    """Those that wait for an exchange must each be asked for alone.

    Args:
        refusal: what the server answered to several, where that may be the reason.
        choices: how many it has answered with instead of all, where it ended as if that were all.
    """

    def __init__(self, *, refusal: WorkerError | None = None, choices: int | None = None) -> None:
        super().__init__()
        self.refusal = refusal
        self.choices = choices


class Attempts:
    """Sends exchanges to a server.

    Args:
        server: where they go.
        most: attempts for each, the first included.
        gate: what an exchange waits for before it is sent, if for anything.
    """

    def __init__(
        self,
        server: OpenAIServer,
        most: int,
        gate: Callable[[Exchange], Gate | None],
    ) -> None:
        self.most = most
        self._server = server
        self._gate = gate
        self._random = random.Random()

    def answer(self, exchange: Exchange) -> Awaitable[None]:
        """Have each that waits answered; whoever has not been when it raises is still waiting.

        The last attempt for several is one for each alone: what fails for all may not fail for each.

        Raises:
            WorkerError: the last attempt failed.
            Apart: each must be asked for alone.
        """
        return self._until_done(exchange, self._whole)

    async def open(self, exchange: Exchange) -> HttpStream:
        """Have the exchange sent; whoever reads its answer closes the stream.

        Raises:
            WorkerError: the last attempt failed.
        """
        return await self._until_done(
            exchange, lambda exchange: self._server.stream(exchange, self._gate(exchange)).__aenter__()
        )

    async def read(self, stream: HttpStream, exchange: Exchange) -> bool:
        """Read on in an open stream; returns whether its answer has ended.

        Raises:
            AttemptFailed: it broke off, or ended and somebody's choice is not whole.
        """
        ended = await self._events(stream, exchange)
        unfinished = exchange.unfinished
        if not ended:
            stream.begun = stream.begun or exchange.first_token
            stream.whole = unfinished is None
            return False
        exchange.end()
        if unfinished is None:
            return True
        exchange.let_whole_go()
        if 0 < exchange.whole == exchange.begun < exchange.asked:
            exchange.attempt -= 1  # the others were not tried
            raise Apart(choices=exchange.whole)
        raise AttemptFailed(self._server.incomplete(unfinished), again=True)

    async def _whole(self, exchange: Exchange) -> None:
        async with self._server.stream(exchange, self._gate(exchange)) as stream:
            while not await self.read(stream, exchange):
                if exchange.over:
                    break
        exchange.finish()

    async def _events(self, stream: HttpStream, exchange: Exchange) -> bool:
        """Read the next events; returns whether none follow: the end may be missing where all is whole."""
        try:
            events = await stream.events()
            try:
                for event in events:
                    self._server.read(event, exchange)
            finally:
                if exchange.hinting is not None and exchange.first_token:
                    self._server.facts.refuses |= exchange.hinting.untaken
                exchange.take_stock()  # only now: what came with the end of a choice may show that it was mixed
        except AttemptFailed:
            if exchange.unfinished is None and exchange.begun:
                return True
            exchange.let_whole_go()
            raise
        return stream.ended

    async def _until_done(self, exchange: Exchange, attempt: Callable[[Exchange], Awaitable[T]]) -> T:
        while True:
            ask = before_sending.get()
            if ask is not None:
                await ask()
            exchange.next_attempt()
            try:
                done = await attempt(exchange)
            except AttemptFailed as failed:
                await self._wait_after(failed, exchange)
            else:
                return done

    async def _wait_after(self, failed: AttemptFailed, exchange: Exchange) -> None:
        """Wait for the next attempt, or raise if there is none."""
        if failed.stale and not exchange.stale and not retried_elsewhere.get() and not self._server.closed:
            exchange.stale = True
            exchange.attempt -= 1
            return
        if not failed.sent:
            exchange.cost_is_known()
        self._refuse_if_closed()
        if _gives_up_hints(failed, exchange):
            exchange.attempt -= 1
            return
        shared = len(exchange.waiting) > 1
        if exchange.asked > 1 and exchange.begun == 0 and _may_mean_sharing(failed):
            exchange.attempt -= 1
            raise Apart(refusal=failed.error) from failed.error
        if exchange.asked > 1 and exchange.mixed and not exchange.shown:
            exchange.attempt -= 1
            raise Apart(choices=1) from failed.error
        # Jitter on top of what the server asks for, lest all whom it sent away come back at once.
        wait = failed.wait + backoff(exchange.attempt, self._random)
        late = exchange.deadline is not None and asyncio.get_running_loop().time() + wait >= exchange.deadline
        most = 1 if retried_elsewhere.get() else self.most
        if exchange.attempt >= most or not failed.again or exchange.shown or math.isinf(wait) or late:
            failed.error.attempts = exchange.attempt
            raise failed.error from failed.__cause__
        await asyncio.sleep(wait)
        self._refuse_if_closed()
        if shared and failed.sent and exchange.attempt == self.most - 1:
            raise Apart from failed.error

    def _refuse_if_closed(self) -> None:
        if self._server.closed:
            raise ClosedError(f"the worker of {self._server.base_url} was closed while the task ran")


def _gives_up_hints(failed: AttemptFailed, exchange: Exchange) -> bool:
    """Whether a server may have refused a request for what it was told besides; it is told that no longer."""
    refused = type(failed.error) is BadRequestError and failed.status in (400, 422) and exchange.begun == 0
    return refused and exchange.hinting is not None and exchange.hinting.give_up(str(failed.error))


def _may_mean_sharing(failed: AttemptFailed) -> bool:
    """Whether a server may have refused a request because it asks for several choices; the words are no guide."""
    refused = type(failed.error) in (BadRequestError, AuthenticationError) or failed.status in (500, 501)
    return refused and failed.status != 401 and not failed.redirects
