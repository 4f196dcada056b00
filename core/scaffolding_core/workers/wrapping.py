"""WrappingWorker: a worker that runs its tasks on another."""

from __future__ import annotations

from collections.abc import Sequence

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.tasks import GenerationTask, Task
from scaffolding_core.worker import Worker, is_worker, told

__all__ = ["WrappingWorker"]


class WrappingWorker(Worker):
    """Runs tasks on another worker; subclass it and override what is to be done besides.

    All else is the other worker's: what it can do, what it knows of its model, what is closed. So are its slots:
    however many wrap a worker, together they run no more than its `max_concurrency`. A subclass with a limit of
    its own sets `max_concurrency`, and overrides `slot_owner` to return itself.

    Args:
        worker: does the work; one that has nothing but `run_task` will do.

    Raises:
        InvalidRequestError: what is no worker.
    """

    hears_of_ends = True  # a subclass may, whatever the other worker does

    def __init__(self, worker: Worker) -> None:
        if not is_worker(worker):
            raise InvalidRequestError(f"{type(self).__name__} needs a worker to do the work, got {worker!r}")
        self.worker = worker

    @property
    def slot_owner(self) -> Worker:
        """At whom its calls are counted: where the other's are."""
        return getattr(self.worker, "slot_owner", self.worker)

    @property
    def max_concurrency(self) -> int:  # type: ignore[override]  # the other worker's
        """Calls at once, of all that use the other worker."""
        return getattr(self.worker, "max_concurrency", Worker.max_concurrency)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # the other worker's
        """What the other worker can do."""
        return getattr(self.worker, "capabilities", Worker.capabilities)

    @property
    def model_info(self) -> ModelInfo:  # type: ignore[override]  # the other worker's
        """What the other worker knows of its model."""
        return getattr(self.worker, "model_info", Worker.model_info)

    @property
    def is_chain(self) -> bool:  # type: ignore[override]  # the other worker's
        """Whether a sample of the other worker may be many calls of models."""
        return getattr(self.worker, "is_chain", Worker.is_chain)

    def model_for(self, task: Task) -> str | None:
        """The name of the other worker's model."""
        return self.worker.model_for(task) if isinstance(self.worker, Worker) else None

    def tools_for(self, task: GenerationTask) -> Sequence[object]:
        """The descriptions of tools that the other worker's model reads with a task."""
        return self.worker.tools_for(task) if isinstance(self.worker, Worker) else super().tools_for(task)

    def answer_limit(self, task: GenerationTask) -> int | None:
        """How many tokens an answer of the other worker has at most."""
        return self.worker.answer_limit(task) if isinstance(self.worker, Worker) else task.max_tokens

    async def learn_model(self) -> None:
        """Let the other worker ask."""
        await told(self.worker, "learn_model")

    async def check_health(self) -> None:
        """Let the other worker ask."""
        await told(self.worker, "check_health")

    async def run_task(self, task: Task) -> object:
        """Run the task on the other worker."""
        return await self.worker.run_task(task)

    async def on_scope_end(self, scope_id: str) -> None:
        """Tell the other worker."""
        await told(self.worker, "on_scope_end", scope_id)

    async def release_loop(self) -> None:
        """Let the other worker close what it keeps for the running loop."""
        await told(self.worker, "release_loop")

    async def async_shutdown(self) -> None:
        """Close the other worker."""
        await told(self.worker, "async_shutdown")

    def shutdown(self) -> None:
        """Close the other worker, from a thread without a running loop."""
        close = getattr(self.worker, "shutdown", None)
        if close is not None:
            close()
