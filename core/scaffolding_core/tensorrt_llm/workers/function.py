"""FunctionWorker: a function as a backend."""

from __future__ import annotations

from typing import Any

import scaffolding_core.workers.function as core
from scaffolding_core.tasks import Task
from scaffolding_core.tensorrt_llm.task import TaskStatus
from scaffolding_core.tensorrt_llm.workers.base import Worker, raise_status

__all__ = ["FunctionWorker"]


class FunctionWorker(Worker, core.FunctionWorker):
    """The core's `FunctionWorker`, with a status, which the function may return too."""

    def _take(self, task: Task, returned: Any) -> None:  # Any: as in the core
        raise_status(self, task, returned)
        super()._take(task, None if isinstance(returned, TaskStatus) else returned)
