"""The stream of a task that is read step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaffolding_core.messages import Usage
from scaffolding_core.tasks import StreamGenerationTask
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
        self._paid = Usage()

    async def read(self, step: int) -> None:
        """Read on until there are `step` more pieces, or no more."""
        try:
            await self._read(self._choice.pieces + step)
        except AttemptFailed as failed:
            self._fail()
            raise failed.error from failed.__cause__
        except BaseException:
            self._fail()
            raise
        self._choice.fill(self._task)
        self._charge()

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
        """Open it, with as many attempts as the worker has; once it is open there is no other."""
        worker, task, paid = self._worker, self._task, self._paid
        body = await worker._body(task)
        deadline = worker._deadline(task)
        while True:
            paid.calls += 1
            paid.lost_calls += 1  # until it is known that it was not
            stream = worker._stream(lambda: (worker.base_url + route(task), body), worker._gate(body))
            try:
                return await stream.__aenter__()
            except AttemptFailed as failed:
                paid.lost_calls -= not failed.sent
                await worker._wait_before_next(failed, paid.calls, deadline, [task], [self._choice], paid)

    def _end(self) -> None:
        self._close()
        self._paid.lost_calls -= 1
        if not self._choice.complete:
            self._paid.lost_calls += self._usage is None
            raise AttemptFailed(self._worker._incomplete(self._choice), again=False)
        self._task.end_flag = True

    def _fail(self) -> None:
        self._charge()
        self._close()
        self._task.request_handle = None  # whoever runs the task again starts it anew

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _charge(self) -> None:
        usage = self._usage or Usage(completion_tokens=self._choice.pieces)
        usage.calls, usage.lost_calls = self._paid.calls, self._paid.lost_calls
        self._task.usage = usage
