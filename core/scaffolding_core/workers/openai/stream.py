"""The stream of a task that is read step by step."""

from __future__ import annotations

from scaffolding_core.tasks import StreamGenerationTask
from scaffolding_core.workers.http.failures import AttemptFailed
from scaffolding_core.workers.http.stream import HttpStream
from scaffolding_core.workers.openai.attempts import Attempts
from scaffolding_core.workers.openai.exchange import Exchange

__all__ = ["OpenStream"]


class OpenStream:
    """The stream of a `StreamGenerationTask`, open between its steps.

    Opening it has as many attempts as there are; once it is open there is no other.

    Args:
        attempts: open it.
        exchange: what it asks for.
        task: whose it is.
    """

    def __init__(self, attempts: Attempts, exchange: Exchange, task: StreamGenerationTask) -> None:
        self._attempts = attempts
        self._exchange = exchange
        self._task = task
        self._member = exchange.join(task)
        self._stream: HttpStream | None = None

    async def read(self, step: int) -> None:
        """Read on until there are `step` more pieces, or no more.

        Raises:
            WorkerError: it could not be opened, or broke off.
        """
        try:
            await self._read(self._member.choice.pieces + step)
        except AttemptFailed as failed:
            self._fail()
            raise failed.error from failed.__cause__
        except BaseException:
            self._fail()
            raise
        self._member.choice.fill(self._task)
        self._task.usage = self._exchange.rest()

    async def aclose(self) -> None:
        """Abort at the server."""
        if not self._task.end_flag:
            self._close()
            self._member.choice.fill(self._task)
            self._task.finish_reason = self._task.finish_reason or "cancelled"
            self._task.end_flag = True

    async def _read(self, target: int) -> None:
        if self._stream is None:
            self._stream = await self._attempts.open(self._exchange)
        while self._member.choice.pieces < target:
            if await self._attempts.read(self._stream, self._exchange):
                self._close()
                self._task.end_flag = True
                return

    def _fail(self) -> None:
        self._task.usage = self._exchange.rest()
        self._close()
        self._task.request_handle = None  # whoever runs the task again starts it anew

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
