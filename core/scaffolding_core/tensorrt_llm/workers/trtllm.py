"""TRTLLMWorker: a `tensorrt_llm.LLM` in this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import scaffolding_core.workers.trtllm as core
from scaffolding_core.errors import ContextLengthExceededError
from scaffolding_core.tasks import GenerationTask as CoreGenerationTask
from scaffolding_core.tasks import Task
from scaffolding_core.tensorrt_llm.message import AssistantMessage
from scaffolding_core.tensorrt_llm.task import ChatTask, GenerationTask, StreamGenerationTask, TaskStatus
from scaffolding_core.tensorrt_llm.workers.base import Worker
from scaffolding_core.tensorrt_llm.workers.stepped import SteppedLlm
from scaffolding_core.worker import TaskHandler
from scaffolding_core.workers.trtllm.call import Call
from scaffolding_core.workers.trtllm.llm_api import Llm
from scaffolding_core.workers.trtllm.sampling import sampling_params, sampling_values

__all__ = ["TRTLLMWorker"]


class TRTLLMWorker(Worker, core.TRTLLMWorker):
    """The core's `TRTLLMWorker`, with a status.

    A prompt that leaves no room for an answer gets an empty one, whose `finish_reason` is "length".

    Args:
        llm: a `tensorrt_llm.LLM`, or what a program stands in for it.
        tokenizer: of the model; None takes the LLM's own.
        options: the core's.
    """

    # Any: each option has its type in the core.
    def __init__(self, llm: object, tokenizer: object = None, **options: Any) -> None:
        read = SteppedLlm(llm) if hasattr(llm, "generate_async") else llm
        core.TRTLLMWorker.__init__(self, read, tokenizer, **options)
        self.llm = cast("Llm", llm)

    def convert_task_params(self, task: GenerationTask) -> Any:  # Any: a SamplingParams
        """The `SamplingParams` of one answer; a subclass may change them, and then each sample is asked for alone.

        Raises:
            InvalidRequestError: TensorRT-LLM does not take a parameter, or its value.
            MissingExtraError: TensorRT-LLM is not installed.
        """
        return sampling_params(sampling_values(task), 1, getattr(self.tokenizer, "vocab_size", None))

    async def generation_handler(self, task: GenerationTask) -> TaskStatus:
        """Complete a prompt, or answer a chat.

        Raises:
            ScaffoldingError: there is no answer.
        """
        try:
            await self._generate(task)
        except ContextLengthExceededError:
            _leave_empty(task)
        return TaskStatus.SUCCESS

    async def stream_generation_handler(self, task: StreamGenerationTask) -> TaskStatus:
        """Go on by a step.

        Raises:
            ScaffoldingError: it broke off.
        """
        try:
            await self._step(cast("Any", task))  # it is one by its attributes
        except ContextLengthExceededError:
            _leave_empty(task)
            task.end_flag = True
        return TaskStatus.SUCCESS

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {
        GenerationTask: generation_handler,
        ChatTask: generation_handler,
        StreamGenerationTask: stream_generation_handler,
    }

    def _call(self, task: CoreGenerationTask) -> Call:
        call = super()._call(task)
        if type(self).convert_task_params is not TRTLLMWorker.convert_task_params:
            prepare = call.asked.prepare
            own = cast("GenerationTask", task)
            call.asked = dataclasses.replace(
                call.asked, prepare=lambda n: (prepare(n)[0], self.convert_task_params(own)), shared_as=None
            )
        return call


def _leave_empty(task: GenerationTask) -> None:
    task.said = AssistantMessage("", finish_reason="length", output_tokens=[])
