"""TRTLLMWorker: a `tensorrt_llm.LLM` in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import scaffolding_core.workers.trtllm as core
from scaffolding_core.tasks import StreamGenerationTask as CoreStreamGenerationTask
from scaffolding_core.tasks import Task
from scaffolding_core.tensorrt_llm.task import GenerationTask, StreamGenerationTask
from scaffolding_core.tensorrt_llm.workers.base import Worker
from scaffolding_core.worker import TaskHandler
from scaffolding_core.workers.trtllm.sampling import sampling_params, sampling_values

__all__ = ["TRTLLMWorker"]


class TRTLLMWorker(Worker, core.TRTLLMWorker):
    """The core's `TRTLLMWorker`, with a status."""

    def convert_task_params(self, task: GenerationTask) -> Any:  # Any: a SamplingParams
        """The `SamplingParams` of one answer, for a program's own handlers, which call `llm` themselves.

        Raises:
            InvalidRequestError: TensorRT-LLM does not take a parameter, or its value.
            MissingExtraError: TensorRT-LLM is not installed.
        """
        return sampling_params(sampling_values(task), 1, getattr(self.tokenizer, "vocab_size", None))

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {
        StreamGenerationTask: core.TRTLLMWorker.task_handlers[CoreStreamGenerationTask]
    }
