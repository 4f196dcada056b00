"""TRTLLMWorker: a `tensorrt_llm.LLM` in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import scaffolding_core.workers.trtllm as core
from scaffolding_core.tasks import StreamGenerationTask as CoreStreamGenerationTask
from scaffolding_core.tasks import Task
from scaffolding_core.tensorrt_llm.task import StreamGenerationTask
from scaffolding_core.tensorrt_llm.workers.base import Worker
from scaffolding_core.worker import TaskHandler

__all__ = ["TRTLLMWorker"]


class TRTLLMWorker(Worker, core.TRTLLMWorker):
    """The core's `TRTLLMWorker`, with a status."""

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {
        StreamGenerationTask: core.TRTLLMWorker.task_handlers[CoreStreamGenerationTask]
    }
