"""RecordingWorker: takes down what another worker does."""

from __future__ import annotations

from contextlib import suppress

from scaffolding_core.errors import WorkerError
from scaffolding_core.tasks import Task
from scaffolding_core.trace import Begun, Recording
from scaffolding_core.worker import Worker, typed_error
from scaffolding_core.workers.wrapping import WrappingWorker

__all__ = ["RecordingWorker"]


class RecordingWorker(WrappingWorker):
    """Runs tasks on another worker and takes every call down, so that a `ReplayWorker` can give it again.

    Args:
        worker: does the work.
        recording: takes the calls; share one between the workers of a `ScaffoldingLlm`.

    Attributes:
        recording: the calls so far.
    """

    def __init__(self, worker: Worker, recording: Recording | None = None) -> None:
        super().__init__(worker)
        self.recording = recording if recording is not None else Recording()

    async def run_task(self, task: Task) -> object:
        """Run the task and take it down.

        Raises:
            InvalidRequestError: it asks what no file can hold.
            WorkerError: the worker failed, or the recording takes no more.
        """
        return await self.record(self.recording.begin(task, await self.model_name()), task)

    async def record(self, begun: Begun, task: Task) -> object:
        """Run a task that has begun, and take down how it ends."""
        try:
            returned = await self.worker.run_task(task)
        except GeneratorExit:  # thrown away with its loop
            raise
        except BaseException as error:
            typed = typed_error(self.worker, error)
            with suppress(WorkerError):  # a full disk must not hide why the call ended
                self.recording.end(begun, task, self.worker, typed)
            raise typed from typed.__cause__
        self.recording.end(begun, task, self.worker, None)
        return returned

    async def model_name(self) -> str | None:
        """The name of the worker's model, asked for if need be."""
        if self.model_info.name is None:
            await self.learn_model()
        return self.model_info.name

    async def on_scope_end(self, scope_id: str) -> None:
        """Forget the request, and tell the other worker."""
        if scope_id.isdecimal():
            self.recording.forget(int(scope_id))
        await super().on_scope_end(scope_id)
