"""Siblings: samples of one prompt that start together are answered with one request (`n=k`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeAlias

from scaffolding_core.tasks import GenerationTask
from scaffolding_core.workers.greedy import is_greedy
from scaffolding_core.workers.openai.attempts import Apart
from scaffolding_core.workers.openai.exchange import Exchange, Member
from scaffolding_core.workers.openai.server import OpenAIServer
from scaffolding_core.workers.openai.trial import Trial

__all__ = ["Siblings"]


_Key: TypeAlias = tuple[asyncio.AbstractEventLoop, Hashable, str]


class _Batch:
    """An exchange of siblings, and what answers it once it has begun."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.running: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        """Whether others may join; once it has begun it ends with the last that waits."""
        return self.exchange.open and (self.running is None or bool(self.exchange.waiting))


class Siblings:
    """Collects siblings until their request is sent, for one tick of the loop at least, and has them answered.

    A member is done when its own choice is, and one that is cut leaves at once. The request belongs to those that
    wait: the last of them stays until it has ended, or, cut itself, until it was aborted.

    A server that refuses to answer several at once, or answers fewer, is not asked for more than it has given.

    Args:
        answer: has an exchange answered.
        most: tasks in one request at most, whatever its body.
        server: tells how many it takes.
    """

    def __init__(self, answer: Callable[[Exchange], Awaitable[None]], most: int, server: OpenAIServer) -> None:
        self._answer = answer
        self._most = most
        self._server = server
        self._latest: dict[_Key, _Batch] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._answer, self._most, self._server)  # what is collected stays on its loop

    @property
    def most(self) -> int:
        """Tasks in one request at most, as far as is known."""
        together = self._server.facts.together
        return self._most if together is None else min(self._most, together)

    def answer_alone(self, exchange: Exchange) -> Awaitable[None]:
        """Have one answered that shares no request, or no longer.

        Raises:
            WorkerError: it failed.
        """
        return self._answer(exchange) if exchange.trial is None else exchange.trial.answer(exchange)

    async def answer(self, task: GenerationTask, exchange: Exchange, most: int) -> Exchange | None:
        """Have a task answered with its siblings that start before its request is sent.

        Args:
            task: to answer.
            exchange: for it and for siblings whose exchange asks for the same.
            most: tasks of such an exchange at most.

        Returns:
            What the task must go on with alone; None if it is answered.

        Raises:
            WorkerError: the request failed; each member gets an exception of its own.
        """
        batch, member = self._join(task, exchange, most)
        try:
            await member.waits()
        except asyncio.CancelledError:
            if member in batch.exchange.waiting:
                await _leave(batch, member)
            raise
        if member.error is not None:
            raise member.error from member.error.__cause__
        return None if member.choice.complete else batch.exchange.alone(member)

    def _join(self, task: GenerationTask, exchange: Exchange, most: int) -> tuple[_Batch, Member]:
        loop = asyncio.get_running_loop()
        key = (loop, task.group, json.dumps(exchange.body, sort_keys=True, default=str))
        batch = self._latest.get(key)
        if batch is None or not batch.open or len(batch.exchange.waiting) >= most:
            batch = self._latest[key] = _Batch(exchange)
            loop.call_soon(self._begin, key, batch)  # siblings started in this tick join before it
        return batch, batch.exchange.join(task)

    def _begin(self, key: _Key, batch: _Batch) -> None:
        if batch.exchange.waiting:
            batch.running = asyncio.get_running_loop().create_task(self._run(batch.exchange))
            batch.running.add_done_callback(lambda _: self._end(key, batch))
        else:
            self._forget(key, batch)

    def _end(self, key: _Key, batch: _Batch) -> None:
        self._server.facts.gave(batch.exchange.begun)
        self._forget(key, batch)

    def _forget(self, key: _Key, batch: _Batch) -> None:
        if self._latest.get(key) is batch:
            del self._latest[key]

    async def _run(self, exchange: Exchange) -> None:
        try:
            await self._answer(exchange)
        except Apart as apart:
            self._learn_from(apart, exchange)
            exchange.part()
        except Exception as error:
            exchange.fail(error)
        finally:  # whoever still waits is torn down with the loop
            for member in exchange.waiting:
                member.tear_down()

    def _learn_from(self, apart: Apart, exchange: Exchange) -> None:
        if apart.choices is not None:
            self._server.facts.gives_only(apart.choices, exchange.asked)
        elif apart.refusal is not None and exchange.asked <= self.most:
            exchange.trial = Trial(apart.refusal, self._answer, lambda: self._gives_one(exchange))

    def _gives_one(self, exchange: Exchange) -> None:
        if not is_greedy(exchange.body):  # of those, some servers refuse several alone
            self._server.facts.gives_only(1, exchange.asked)


async def _leave(batch: _Batch, member: Member) -> None:
    batch.exchange.cut(member)
    if not batch.exchange.waiting and batch.running is not None:
        batch.running.cancel()
        await asyncio.wait([batch.running])
