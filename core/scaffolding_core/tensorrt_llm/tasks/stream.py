"""StreamGenerationTask: complete a prompt step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import scaffolding_core.tasks as core
from scaffolding_core.tasks.roles import OF_RUN
from scaffolding_core.tensorrt_llm.tasks.base import opened
from scaffolding_core.tensorrt_llm.tasks.generation import GenerationTask

__all__ = ["StreamGenerationTask"]


@opened
@dataclass(eq=False, repr=False)
class StreamGenerationTask(GenerationTask):
    """Complete a prompt step by step: each time it is yielded it goes on by `streaming_step` tokens.

    Args:
        streaming_step: tokens of a step; 0 is taken as 1.
        cancel_flag: set it and yield the task once more to abort at the backend.

    Attributes:
        request_handle: the open stream.
        end_flag: True once there is no more.
    """

    goes_on: ClassVar[bool] = True

    cancel_flag: bool = field(default=False, kw_only=True, metadata=OF_RUN)
    streaming_step: int = field(default=1, kw_only=True)
    request_handle: Any = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)  # Any: the worker's own
    end_flag: bool = field(default=False, kw_only=True, metadata=OF_RUN)

    @classmethod
    def create_from_generation_task(cls, task: core.GenerationTask, streaming_step: int) -> StreamGenerationTask:
        """A task that holds what another does, whatever that is."""
        new = cls()
        vars(new).update(vars(task))
        new.streaming_step = streaming_step
        return new
