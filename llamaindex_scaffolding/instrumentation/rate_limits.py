"""Rate limiters: each is asked once for each request that goes to a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from llama_index.core.rate_limiter import BaseRateLimiter

from scaffolding_core import GenerationTask, Task, Worker
from scaffolding_core.adapting import around_calls, before_sending, run_either

__all__ = ["asked_once", "limited"]

Value = TypeVar("Value")

_asked: ContextVar[set[int] | None] = ContextVar("asked_rate_limiters", default=None)
"""Limiters that were asked for the sample that runs in this context; None outside of one."""


class _Once(BaseRateLimiter):
    """A limiter that is asked for the first request of a sample: LLMs whose chat is a completion ask for both."""

    def __init__(self, limiter: BaseRateLimiter) -> None:
        self._limiter = limiter

    def acquire(self, num_tokens: int = 0) -> None:
        if self._is_first():
            self._limiter.acquire(num_tokens)

    async def async_acquire(self, num_tokens: int = 0) -> None:
        if self._is_first():
            await self._limiter.async_acquire(num_tokens)

    def _is_first(self) -> bool:
        asked = _asked.get()
        if asked is None:
            return True
        first = id(self._limiter) not in asked
        asked.add(id(self._limiter))
        return first


def asked_once(limiter: BaseRateLimiter | None) -> BaseRateLimiter | None:
    """The limiter of a wrapped LLM, which is asked once for each sample."""
    return None if limiter is None else _Once(limiter)


@contextmanager
def limited(limiter: BaseRateLimiter | None, *, asked: int, samples_of: Worker | None) -> Iterator[None]:
    """Requests made in here ask a limiter, and each of their samples asks that of its own LLM once.

    Args:
        limiter: of the LLM that makes them, if it has one.
        asked: requests for which it was asked already.
        samples_of: a worker of which each sample is a request; None where the worker itself tells of each that it
            sends, since it may answer several samples with one.
    """
    left = asked

    async def ask() -> None:
        nonlocal left
        if left:
            left -= 1
        elif limiter is not None:
            await run_either(limiter.acquire, limiter.async_acquire)

    inside = around_calls.get()

    async def around(worker: Worker, task: Task) -> object:
        _asked.set({id(limiter)})
        if worker is samples_of and isinstance(task, GenerationTask):
            await ask()
        return await (worker.run_task(task) if inside is None else inside(worker, task))

    of_server = limiter is not None and samples_of is None
    with (
        _set(around_calls, inside if samples_of is None else around),
        _set(before_sending, ask if of_server else None),
    ):
        yield


@contextmanager
def _set(variable: ContextVar[Value], value: Value) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
