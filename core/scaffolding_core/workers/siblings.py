"""Siblings: samples of one prompt that start together are answered with one request (`n=k`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from scaffolding_core.errors import copy_error
from scaffolding_core.tasks import GenerationTask

__all__ = ["Siblings", "TogetherRefused"]

Run = Callable[[list[GenerationTask], dict[str, Any]], Awaitable[None]]


class TogetherRefused(Exception):
    """The server answers each sample only alone."""


class _Batch:
    """Tasks that are answered with one request."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.tasks: list[GenerationTask] = []
        self.left = 0
        self.running: asyncio.Task[None] | None = None
        self.closed = False


class Siblings:
    """Collects siblings for one tick of the loop, and runs them together.

    A member that is cut leaves at once; the request goes on for the others, and is aborted with the last.

    Args:
        run: answers several tasks with the same body; after `TogetherRefused` each is run alone.
        leave: records what a member that is cut has cost so far.
        most: tasks in one request at most, whatever its body.
    """

    def __init__(self, run: Run, leave: Callable[[GenerationTask], None], most: int) -> None:
        self.most = most
        self._run = run
        self._on_leave = leave
        self._open: dict[tuple[asyncio.AbstractEventLoop, int, str], _Batch] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._run, self._on_leave, self.most)  # what is collected stays on its loop

    async def run(self, task: GenerationTask, body: dict[str, Any], most: int) -> None:
        """Run a task with its siblings that start in the same tick.

        Args:
            task: to run.
            body: of the request; siblings have the same.
            most: tasks of this body in one request at most.

        Raises:
            WorkerError: the request failed; each member gets an exception of its own.
        """
        batch = self._join(task, body, most)
        batch.left += 1
        assert batch.running is not None
        try:
            await asyncio.shield(batch.running)
        except asyncio.CancelledError:
            await self._leave(batch, task)
            raise
        except TogetherRefused:
            await self._run([task], body)
        except Exception as error:
            raise copy_error(error) from error.__cause__
        finally:
            batch.left -= 1

    def _join(self, task: GenerationTask, body: dict[str, Any], most: int) -> _Batch:
        loop = asyncio.get_running_loop()
        key = (loop, id(task.group), json.dumps(body, sort_keys=True, default=str))
        batch = self._open.get(key)
        if batch is None or batch.closed or len(batch.tasks) >= most:
            batch = self._open[key] = _Batch(body)
            batch.running = loop.create_task(self._answer(key, batch))
        batch.tasks.append(task)
        return batch

    async def _answer(self, key: tuple[asyncio.AbstractEventLoop, int, str], batch: _Batch) -> None:
        await asyncio.sleep(0)  # siblings started in this tick join before it
        batch.closed = True
        if self._open.get(key) is batch:
            del self._open[key]
        if batch.tasks:
            await self._run(batch.tasks, batch.body)

    async def _leave(self, batch: _Batch, task: GenerationTask) -> None:
        if not batch.closed:
            batch.tasks.remove(task)
        elif batch.left > 1:
            self._on_leave(task)
        if batch.left > 1 or batch.running is None:
            return
        batch.running.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await batch.running
