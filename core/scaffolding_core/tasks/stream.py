"""StreamGenerationTask: complete a prompt step by step; StreamChatTask: answer a chat so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, TypeGuard

from scaffolding_core.tasks.chat import ChatTask
from scaffolding_core.tasks.generation import GenerationTask
from scaffolding_core.tasks.roles import OF_RUN, inputs_of
from scaffolding_core.tasks.scope import StreamHandle
from scaffolding_core.tasks.task import Task

__all__ = ["StreamChatTask", "StreamGenerationTask", "in_steps", "run_in_steps"]


@dataclass(eq=False, repr=False)
class _InSteps:
    """The fields of a task that is run step by step."""

    __slots__ = ()
    goes_on: ClassVar[bool] = True

    streaming_step: int = field(default=1, kw_only=True)
    cancel_flag: bool = field(default=False, kw_only=True, metadata=OF_RUN)
    end_flag: bool = field(default=False, kw_only=True, metadata=OF_RUN)
    request_handle: StreamHandle | None = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)


@dataclass(slots=True, eq=False, repr=False)
class StreamGenerationTask(_InSteps, GenerationTask):
    """Complete a prompt step by step: each time it is yielded it goes on by `streaming_step` tokens.

    Args:
        streaming_step: tokens per step, at least 1.

    Attributes:
        cancel_flag: set it and yield the task once more to abort at the backend.
        end_flag: True once there is no more.
        request_handle: the open stream; the driver closes it with the request.
    """

    @classmethod
    def create_from_generation_task(cls, task: GenerationTask, streaming_step: int) -> StreamGenerationTask:
        """A task with the inputs of another."""
        new = cls(streaming_step=streaming_step)
        for name in inputs_of(GenerationTask):
            setattr(new, name, getattr(task, name))
        return new


@dataclass(slots=True, eq=False, repr=False)
class StreamChatTask(_InSteps, ChatTask):
    """Answer a chat step by step, as a `StreamGenerationTask` completes a prompt."""


def in_steps(task: GenerationTask, step: int) -> StreamGenerationTask | StreamChatTask:
    """A task with the inputs of another, to be run step by step.

    Args:
        task: completes a prompt, or answers a chat.
        step: tokens per step, at least 1.
    """
    if not isinstance(task, ChatTask):
        return StreamGenerationTask.create_from_generation_task(task, step)
    chat = StreamChatTask(streaming_step=step)
    for name in inputs_of(ChatTask):
        setattr(chat, name, getattr(task, name))
    return chat


def run_in_steps(task: Task) -> TypeGuard[StreamGenerationTask]:
    """Whether it is a `StreamGenerationTask`, or of a class that has its fields and says so by `goes_on`."""
    return task.goes_on
