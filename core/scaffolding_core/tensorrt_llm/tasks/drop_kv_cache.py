"""DropKVCacheTask: let the backend forget a chat."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import scaffolding_core.messages as core_messages
from scaffolding_core.tensorrt_llm.tasks.base import Task, opened
from scaffolding_core.tensorrt_llm.tasks.chat import ChatTask

__all__ = ["DropKVCacheTask"]


@opened
@dataclass(eq=False, repr=False, init=False)
class DropKVCacheTask(Task):
    """Let the backend forget a chat, but for the system messages that it begins with.

    Args:
        chat_task: the chat.
        worker_tag: of the worker that ran it.
    """

    chat_task: ChatTask = field(kw_only=True)

    def __init__(self, chat_task: ChatTask, worker_tag: Hashable) -> None:
        super().__init__(worker_tag)
        self.chat_task = chat_task

    @property
    def messages_to_retain(self) -> list[core_messages.RoleMessage]:
        """The system messages that the chat begins with."""
        messages = self.chat_task.messages
        leading = next((i for i, m in enumerate(messages) if m.role != "system"), len(messages))
        return messages[:leading]
