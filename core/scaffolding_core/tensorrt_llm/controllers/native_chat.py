"""NativeChatController: one chat turn."""

from __future__ import annotations

from typing import Any

from scaffolding_core.controller import Steps
from scaffolding_core.tensorrt_llm.controllers.native_generation import NativeGenerationController
from scaffolding_core.tensorrt_llm.task import ChatTask, GenerationTask

__all__ = ["NativeChatController"]


class NativeChatController(NativeGenerationController):
    """Answers each task with one chat turn: a `ChatTask` as it is, a text as a chat of one question.

    Args:
        sampling_params: as for `NativeGenerationController`.
        streaming: as for `NativeGenerationController`.
    """

    def process(self, tasks: list[Any], **kwargs: Any) -> Steps[Any]:
        """Run the tasks at the same time; their results are in the tasks that were given."""
        chats = [task if isinstance(task, ChatTask) else _chat_of(task) for task in tasks]
        yield from super().process(chats)
        for task, chat in zip(tasks, chats, strict=True):
            if chat is not task:
                task.take_results(chat)
                task.usage = chat.usage


def _chat_of(task: GenerationTask) -> ChatTask:
    chat = ChatTask.create_from_prompt(task.input_str)
    chat.worker_tag = task.worker_tag
    chat.fill(task.sampling())
    return chat
