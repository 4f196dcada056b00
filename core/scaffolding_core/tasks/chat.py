"""ChatTask: answer a chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from scaffolding_core.messages import (
    AssistantMessage,
    JsonObject,
    RoleMessage,
    SystemMessage,
    ToolDescription,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.messages.tools import written_tools
from scaffolding_core.tasks.generation import GenerationTask

__all__ = ["GO_ON", "ChatTask"]

GO_ON = "Go on with your answer exactly where it stopped, and repeat nothing of it."
"""Asks for the rest of an answer, where a backend goes on with none that is begun."""


@dataclass(slots=True, eq=False, repr=False)
class ChatTask(GenerationTask):
    """Answer a chat.

    Args:
        messages: the chat so far.
        tools: what the model may call; ours, or dicts in OpenAI's shape.
    """

    messages: list[RoleMessage] = field(default_factory=list, kw_only=True)
    tools: Sequence[ToolDescription | JsonObject] | None = field(default=None, kw_only=True)

    @classmethod
    def create_from_prompt(
        cls,
        user_prompt: str,
        system_prompts: Sequence[SystemMessage] | None = None,
        tools: Sequence[ToolDescription] | None = None,
    ) -> Self:
        """A chat of one question, behind system prompts where there are any."""
        return cls(messages=[*(system_prompts or ()), UserMessage(user_prompt)], tools=tools)

    @classmethod
    def create_from_messages(
        cls, messages: Sequence[RoleMessage], tools: Sequence[ToolDescription] | None = None
    ) -> Self:
        """A task for a chat."""
        return cls(messages=list(messages), tools=tools)

    @property
    def turns(self) -> list[RoleMessage]:
        """The chat for a backend that goes on with no answer: a begun one is a turn, and its rest is asked for."""
        if not self.answer_prefix:
            return self.messages
        return [*self.messages, AssistantMessage(self.answer_prefix), UserMessage(GO_ON)]

    @property
    def has_calls(self) -> bool:
        """Whether tools were called in it; then servers want to know which there are."""
        return any(isinstance(message, ToolMessage) for message in self.messages)

    def set_aside(self) -> None:
        """Let it be asked for words alone: no structure, and no call of a tool."""
        GenerationTask.set_aside(self)  # super() knows no class with slots
        self.tools = self.tools if self.has_calls else None
        self.tool_choice = "none" if self.tools else None

    def tools_to_dict(self) -> list[dict[str, object]]:
        """The tools as OpenAI writes them.

        Raises:
            InvalidRequestError: no list of descriptions.
        """
        return [dict(tool) for tool in written_tools(self.tools or ())]

    def add_message(self, message: RoleMessage) -> None:
        """Append a message, in a list of this task's own."""
        self.messages = [*self.messages, message]

    def add_messages(self, messages: Sequence[RoleMessage]) -> None:
        """Append messages, in a list of this task's own."""
        self.messages = [*self.messages, *messages]

    def messages_to_dict_content(self, start_index: int = 0) -> list[dict[str, object]]:
        """The messages from an index on, as OpenAI writes them."""
        return [dict(message.to_dict()) for message in self.messages[start_index:]]
