"""Trial: whether a server refuses what it is asked for, or only to answer several at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from scaffolding_core.errors import WorkerError, copy_error
from scaffolding_core.workers.openai.exchange import Exchange

__all__ = ["Trial"]


class Trial:
    """Those whose request was refused while they shared it: one is asked for alone, and the others wait for it.

    If it is answered, sharing was the reason, in whatever words. If it is refused alike, so would the others be.

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
        self._over = False
        self._refused_alone: WorkerError | None = None

    async def answer(self, exchange: Exchange) -> None:
        """Have one of them answered alone.

        Raises:
            WorkerError: it failed, or would.
        """
        async with self._turn:
            if self._refused_alone is not None:
                raise copy_error(self._refused_alone)
            if not self._over:
                await self._first(exchange)
                return
        await self._answer(exchange)

    async def _first(self, exchange: Exchange) -> None:
        try:
            await self._answer(exchange)
        except WorkerError as error:
            if type(error) is type(self._refusal):
                self._refused_alone = error
            raise
        self._over = True
        self._learn()
