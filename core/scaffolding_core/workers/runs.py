"""RunsWorker: a worker each of whose samples is a run of an agent."""

from __future__ import annotations

from scaffolding_core.runs import current_runs
from scaffolding_core.tasks import GenerationTask, Task
from scaffolding_core.workers.wrapping import WrappingWorker

__all__ = ["RunsWorker"]


class RunsWorker(WrappingWorker):
    """Runs each sample on another worker as a run of its own, where `Runs` are around; see there.

    Args:
        worker: does the work, such as a `FunctionWorker` that runs an agent.
    """

    is_chain = True

    async def run_task(self, task: Task) -> object:
        """Run the task on the other worker."""
        runs = current_runs.get()
        if runs is None or not isinstance(task, GenerationTask):
            return await self.worker.run_task(task)
        async with runs.run() as run:
            returned = await self.worker.run_task(task)
            run.result = task.said
        return returned
