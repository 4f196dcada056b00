"""Batches: what is asked in one tick of the loop is asked together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeAlias, TypeVar

from scaffolding_core.errors import BadRequestError, ServerError, WorkerError, copy_error

__all__ = ["Batches"]

T = TypeVar("T")
R = TypeVar("R")

_Key: TypeAlias = "tuple[asyncio.AbstractEventLoop, Hashable]"


class _Batch(Generic[T, R]):
    def __init__(self) -> None:
        self.waiting: list[tuple[T, asyncio.Future[R]]] = []
        self.running: asyncio.Task[None] | None = None


class Batches(Generic[T, R]):
    """Asks for what starts in one tick of the loop with one request, and never lets it wait for what comes later.

    A request that is refused for several, or whose answer cannot be read, is made for each alone: what is wrong
    may be wrong of one. It belongs to those that wait; when the last of them is cut, it is aborted.

    Args:
        ask: asks for several, and returns what each gets.
        most: of one request.
    """

    def __init__(self, ask: Callable[[Sequence[T]], Awaitable[Sequence[R]]], most: int) -> None:
        self._ask = ask
        self.most = most
        self._open: dict[_Key, _Batch[T, R]] = {}

    async def answer(self, item: T, key: Hashable, most: int) -> R:
        """What an item gets.

        Args:
            item: to ask for.
            key: of those that may be asked for together.
            most: of them in this request; `self.most` bounds it too.

        Raises:
            Exception: what `ask` raised, each item an instance of its own.
        """
        loop = asyncio.get_running_loop()
        place = (loop, key)
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = _Batch()
            loop.call_soon(self._begin, place, batch)
        waits: asyncio.Future[R] = loop.create_future()
        member = item, waits
        batch.waiting.append(member)
        if len(batch.waiting) >= min(most, self.most):
            del self._open[place]
        try:
            return await waits
        except asyncio.CancelledError:
            batch.waiting.remove(member)
            if not batch.waiting and batch.running is not None:
                batch.running.cancel()
                await asyncio.wait([batch.running])
            raise

    def _begin(self, place: _Key, batch: _Batch[T, R]) -> None:
        if self._open.get(place) is batch:
            del self._open[place]
        if batch.waiting:
            batch.running = asyncio.get_running_loop().create_task(self._run(batch))

    async def _run(self, batch: _Batch[T, R]) -> None:
        asked = list(batch.waiting)
        try:
            await self._settle(asked)
        except Exception as error:
            if len(asked) > 1 and _may_be_of_one(error):
                await asyncio.gather(*[self._alone(member) for member in batch.waiting])
            else:
                _fail(asked, error)
        finally:  # whoever still waits is torn down with the loop
            for _, waits in asked:
                waits.cancel()

    async def _alone(self, member: tuple[T, asyncio.Future[R]]) -> None:
        try:
            await self._settle([member])
        except Exception as error:
            _fail([member], error)

    async def _settle(self, asked: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        for (_, waits), told in zip(asked, await self._ask([item for item, _ in asked]), strict=True):
            if not waits.done():
                waits.set_result(told)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._ask, self.most)  # what is open stays on its loop


def _may_be_of_one(error: Exception) -> bool:
    """Whether others may fare better without the one whose fault it is; a server that is away serves nobody."""
    if isinstance(error, ServerError):
        return error.status == 500  # as where a score is NaN, which the server cannot write
    return isinstance(error, BadRequestError) or type(error) is WorkerError


def _fail(asked: Sequence[tuple[T, asyncio.Future[R]]], error: BaseException) -> None:
    for _, waits in asked:
        if not waits.done():
            waits.set_exception(copy_error(error))
