"""Trial: whether a server refuses what it is asked for, or only to answer several at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from scaffolding_core.errors import WorkerError, copy_error
from scaffolding_core.workers.openai.exchange import Exchange

__all__ = ["Trial"]


class Trial:
    """Those whose request was refused while they shared it: one is asked for alone, and the others wait for it.

    If it shows a token, sharing was the reason, in whatever words. If it is refused alike, so would the others be.

    Args:
        refusal: what their request was answered with.
        answer: has an exchange answered.
        learn: is called if sharing was the reason.
    """

    def __init__(
        self, refusal: WorkerError, answer: Callable[[Exchange], Awaitable[None]], learn: Callable[[], None]
    ) -> None:
        self._refusal = refusal
        self._answer = answer
        self._learn = learn
        self._turn = asyncio.Lock()
        self._holder: Exchange | None = None
        self._over = False
        self._refused_alone: WorkerError | None = None

    async def answer(self, exchange: Exchange) -> None:
        """Have one of them answered alone.

        Raises:
            WorkerError: it failed, or would.
        """
        await self._turn.acquire()
        self._holder = exchange
        try:
            if self._refused_alone is not None:
                raise copy_error(self._refused_alone)
            if self._over:
                self._release(exchange)
            await self._answer(exchange)
            self.passed(exchange)
        except WorkerError as error:
            if not self._over and type(error) is type(self._refusal):
                self._refused_alone = error
            raise
        finally:
            self._release(exchange)

    def passed(self, exchange: Exchange) -> None:
        """The server answers one: the others need not wait for its end."""
        if not self._over:
            self._over = True
            self._learn()
        self._release(exchange)

    def _release(self, exchange: Exchange) -> None:
        if self._holder is exchange:
            self._holder = None
            self._turn.release()
