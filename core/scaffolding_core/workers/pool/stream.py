"""PooledStream: the stream of a task that is read step by step, at the replica that opened it."""

from __future__ import annotations

from scaffolding_core.messages import Usage
from scaffolding_core.tasks import StreamGenerationTask
from scaffolding_core.worker import Worker

__all__ = ["PooledStream"]


class PooledStream:
    """Goes on where it was opened: what was read cannot be read elsewhere.

    Args:
        worker: of the replica.
        running: what it runs.
        paid: for attempts before.
    """

    def __init__(self, worker: Worker, running: StreamGenerationTask, paid: Usage) -> None:
        self._worker = worker
        self._running = running
        self._paid = paid

    async def read_on(self, task: StreamGenerationTask) -> None:
        """Read the next step.

        Raises:
            WorkerError: it broke off.
        """
        self._running.scope = task.scope
        try:
            await self._worker.run_task(self._running)
        except BaseException:
            task.request_handle = None  # whoever runs the task again starts it anew
            raise
        finally:
            self.hand_on(task)

    def hand_on(self, task: StreamGenerationTask) -> None:
        """Let the task have what there is."""
        task.take_results(self._running)
        task.end_flag = self._running.end_flag
        task.usage = Usage()
        task.usage.add(self._paid)
        if self._running.usage is not None:
            task.usage.add(self._running.usage)

    async def aclose(self) -> None:
        """Abort at the replica."""
        if self._running.request_handle is not None:
            await self._running.request_handle.aclose()
