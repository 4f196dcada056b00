"""ChatTask: answer a chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import scaffolding_core.messages as core_messages
import scaffolding_core.tasks as core
from scaffolding_core.tasks.roles import RESULT
from scaffolding_core.tensorrt_llm.message import UserMessage
from scaffolding_core.tensorrt_llm.tasks.base import opened
from scaffolding_core.tensorrt_llm.tasks.stream import StreamGenerationTask

__all__ = ["ChatTask"]


@opened
@dataclass(eq=False, repr=False)
class ChatTask(StreamGenerationTask, core.ChatTask):
    """Answer a chat; once it ran, the answer is the last of its messages.

    Args:
        messages: the chat, in the very list that was given, which grows.
        tools: what the model may call.
        enable_token_counting: whether a worker tells the tokens below.
        sub_request_markers: pairs of a name and a number that say which part of an agent asks.
        unique_id: of the agent's run.

    Attributes:
        prompt_tokens_num: tokens of the prompt.
        completion_tokens_num: tokens of the answer.
        reasoning_tokens_num: those of them that are thoughts.
    """

    goes_on: ClassVar[bool] = False  # it has a stream's fields, and is run whole

    tools: Any = field(default=None, kw_only=True)  # Any: descriptions, or dicts in OpenAI's shape
    enable_token_counting: bool = field(default=False, kw_only=True)
    prompt_tokens_num: int = field(default=0, kw_only=True, metadata=RESULT)
    completion_tokens_num: int = field(default=0, kw_only=True, metadata=RESULT)
    reasoning_tokens_num: int = field(default=0, kw_only=True, metadata=RESULT)
    sub_request_markers: list[tuple[str, int]] = field(default_factory=list, kw_only=True)
    unique_id: int | None = field(default=None, kw_only=True)

    @classmethod
    def create_from_prompt(
        cls,
        user_prompt: str | None,
        system_prompts: Sequence[core_messages.SystemMessage] | None = None,
        tools: Any = None,
    ) -> Self:
        """A chat of one question, if there is one, behind system prompts."""
        new = cls(messages=list(system_prompts or ()), tools=tools)
        if user_prompt is not None:
            new.add_message(UserMessage(user_prompt))
        return new

    @classmethod
    def create_from_messages(  # type: ignore[override]  # it shares a list
        cls, messages: list[core_messages.RoleMessage], tools: Any = None
    ) -> Self:
        """A task for a chat, which shares the list."""
        return cls(messages=messages, tools=tools)

    def tools_to_dict(self) -> list[dict[str, object]]:
        """The tools as OpenAI writes them."""
        return [dict(tool if isinstance(tool, dict) else tool.to_dict()) for tool in self.tools or ()]

    def add_message(self, message: core_messages.RoleMessage) -> None:
        """Append a message."""
        self.messages.append(message)

    def add_messages(self, messages: Sequence[core_messages.RoleMessage]) -> None:
        """Append messages."""
        self.messages.extend(messages)

    def last_assistant_content(self) -> str | None:
        """What the model said last; None if it has said nothing."""
        said = (message.content for message in reversed(self.messages) if message.role == "assistant")
        return next((content for content in said if isinstance(content, str)), None)
