"""The stream of a task that is read step by step."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from scaffolding_core.task import StreamGenerationTask
from scaffolding_core.usage import Usage
from scaffolding_core.workers.http_stream import AttemptFailed, HttpStream
from scaffolding_core.workers.openai_wire import Choice, read_usage, route

if TYPE_CHECKING:
    from scaffolding_core.workers.openai import OpenAIWorker

__all__ = ["OpenStream"]


class OpenStream:
    """The stream of a `StreamGenerationTask`, open between its steps."""

    def __init__(self, worker: OpenAIWorker, task: StreamGenerationTask) -> None:
        self._worker = worker
        self._task = task
        self._choice = Choice(task.scope)
        self._stream: HttpStream | None = None
        self._usage: Usage | None = None

    async def read(self, step: int) -> None:
        """Read on until there are `step` more pieces, or no more."""
        try:
            await self._read(self._choice.pieces + step)
        except AttemptFailed as failed:
            self._fail(lost=failed.sent)
            raise failed.error from failed.__cause__
        except asyncio.CancelledError:
            self._fail(lost=True)
            raise
        self._choice.fill(self._task)
        self._charge(lost=not self._task.end_flag)

    async def aclose(self) -> None:
        """Abort at the server."""
        if not self._task.end_flag:
            self._close()
            self._choice.fill(self._task)
            self._task.finish_reason = self._task.finish_reason or "cancelled"
            self._task.end_flag = True

    async def _read(self, target: int) -> None:
        if self._stream is None:
            self._stream = await self._opened()
        while self._choice.pieces < target:
            events = await self._stream.events()
            if not events:
                self._end()
                return
            for data in events:
                chunk = self._worker._read(data, [self._choice])
                if chunk is not None and chunk.get("usage"):
                    self._usage = read_usage(chunk["usage"])

    async def _opened(self) -> HttpStream:
        worker, task = self._worker, self._task
        body = await worker._body(task)
        stream = worker._stream(lambda: (worker.base_url + route(task), body), worker._gate(body))
        return await stream.__aenter__()

    def _end(self) -> None:
        self._close()
        if not self._choice.complete:
            raise AttemptFailed(self._worker._incomplete(self._choice), again=False)
        self._task.end_flag = True

    def _fail(self, lost: bool) -> None:
        self._charge(lost)
        self._close()
        self._task.request_handle = None  # whoever runs the task again starts it anew

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _charge(self, lost: bool) -> None:
        usage = self._usage or Usage(completion_tokens=self._choice.pieces)
        usage.calls, usage.lost_calls = 1, int(lost and self._usage is None)
        self._task.usage = usage
