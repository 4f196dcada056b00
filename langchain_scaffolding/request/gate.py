"""What holds a request's samples back: how many may run at once, and a rate limiter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Self

from langchain_core.rate_limiters import BaseRateLimiter

from langchain_scaffolding.request.checks import checked_limit
from scaffolding_core import GenerationTask, Task
from scaffolding_core.adapting import run_either

__all__ = ["Gate"]


class Gate:
    """Lets the calls of one request pass.

    Args:
        at_once: calls at the same time; None sets no limit.
        rate_limiter: asked for each sample but the first, since LangChain asks it for each request.
    """

    def __init__(self, at_once: int | None, rate_limiter: BaseRateLimiter | None) -> None:
        self._places = nullcontext() if at_once is None else asyncio.Semaphore(at_once)
        self._limiter = rate_limiter
        self._is_first = True

    @classmethod
    def of(cls, at_once: int | None, rate_limiter: BaseRateLimiter | None) -> Self | None:
        """A gate; None if it would hold nothing back.

        Raises:
            InvalidRequestError: no number of calls.
        """
        if at_once is None and rate_limiter is None:
            return None
        return cls(None if at_once is None else checked_limit(at_once), rate_limiter)

    @asynccontextmanager
    async def passed(self, task: Task) -> AsyncIterator[None]:
        """Wait for a place, and for the rate limiter; the place is held until the end of the `with`."""
        async with self._places:
            if self._limiter is not None and isinstance(task, GenerationTask):
                first, self._is_first = self._is_first, False
                if not first:
                    await run_either(self._limiter.acquire, self._limiter.aacquire)
            yield
