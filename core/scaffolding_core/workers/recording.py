"""RecordingWorker: takes down what another worker does."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from scaffolding_core.errors import WorkerError
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.tasks import Task, TaskStatus
from scaffolding_core.trace import Begun, Recording
from scaffolding_core.worker import Capabilities, Worker, typed_error

__all__ = ["RecordingWorker"]


class RecordingWorker(Worker):
    """Runs tasks on another worker and takes every call down, so that a `ReplayWorker` can give it again.

    Args:
        worker: does the work.
        recording: takes the calls; share one between the workers of a `ScaffoldingLlm`.

    Attributes:
        recording: the calls so far.
    """

    def __init__(self, worker: Worker, recording: Recording | None = None) -> None:
        self.worker = worker
        self.recording = recording if recording is not None else Recording()
        self.max_concurrency = worker.max_concurrency

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # the other worker's
        """Those of the worker that does the work."""
        return self.worker.capabilities

    @property
    def model_info(self) -> ModelInfo:  # type: ignore[override]  # the other worker's
        """What the worker that does the work knows."""
        return self.worker.model_info

    async def learn_model(self) -> None:
        """Let the worker that does the work ask."""
        await self.worker.learn_model()

    async def run_task(self, task: Task) -> TaskStatus | None:
        """Run the task and take it down.

        Raises:
            InvalidRequestError: it asks what no file can hold.
            WorkerError: the worker failed, or the recording takes no more.
        """
        return await self.record(self.recording.begin(task, await self.model_name()), task)

    async def record(self, begun: Begun, task: Task) -> TaskStatus | None:
        """Run a task that has begun, and take down how it ends."""
        try:
            status = await self.worker.run_task(task)
        except (Exception, asyncio.CancelledError) as error:
            typed = typed_error(self.worker, error)
            with suppress(WorkerError):  # a full disk must not hide why the call ended
                self.recording.end(begun, task, self.worker, typed)
            raise typed from typed.__cause__
        self.recording.end(begun, task, self.worker, status)
        return status

    async def model_name(self) -> str | None:
        """The name of the worker's model, asked for if need be."""
        if self.worker.model_info.name is None:
            await self.worker.learn_model()
        return self.worker.model_info.name

    async def on_scope_end(self, scope_id: str) -> None:
        """Tell the worker that does the work."""
        self.recording.forget(int(scope_id))
        await self.worker.on_scope_end(scope_id)

    async def release_loop(self) -> None:
        """Close what the other worker keeps for the running loop."""
        await self.worker.release_loop()

    async def async_shutdown(self) -> None:
        """Close the other worker."""
        await self.worker.async_shutdown()

    def shutdown(self) -> None:
        """Close the other worker."""
        self.worker.shutdown()
