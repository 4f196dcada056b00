"""LocalWorker: the embedded engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import scaffolding_core.workers.local as core
from scaffolding_core.tasks import StreamGenerationTask as CoreStreamGenerationTask
from scaffolding_core.tasks import Task
from scaffolding_core.tensorrt_llm.task import StreamGenerationTask
from scaffolding_core.tensorrt_llm.workers.base import Worker
from scaffolding_core.worker import TaskHandler

__all__ = ["LocalWorker"]


class LocalWorker(Worker, core.LocalWorker):
    """The core's `LocalWorker`, with a status."""

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {
        StreamGenerationTask: core.LocalWorker.task_handlers[CoreStreamGenerationTask]
    }
