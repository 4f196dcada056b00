"""Chat messages with the arguments that TensorRT-LLM's have; any attribute may be set on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import scaffolding_core.messages as core
from scaffolding_core.messages import Content, JsonValue

__all__ = ["AssistantMessage", "RoleMessage", "SystemMessage", "ToolMessage", "UserMessage"]


class RoleMessage(core.RoleMessage):
    """A message with its role.

    Args:
        role: who says it.
        content: what is said.
        prefix: the part of the content that is worth keeping in a cache, for programs that use it.
        fields: of the core's message.
    """

    prefix: str | None = None

    def __init__(
        self, role: str = "", content: Content | None = None, prefix: str | None = None, **fields: Any
    ) -> None:  # Any: each field has its type in the core
        core.RoleMessage.__init__(self, role, content, **fields)
        self.prefix = prefix

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RoleMessage:  # Any: whatever JSON holds
        """The message that OpenAI writes so, without what only some roles have."""
        return RoleMessage(data["role"], data["content"])

    def __str__(self) -> str:
        return f"{self.role}: {self.content}\n"


class UserMessage(core.UserMessage, RoleMessage):
    """What the user says; see `RoleMessage`."""

    def __init__(self, content: Content, prefix: str | None = None, **fields: Any) -> None:
        core.UserMessage.__init__(self, content, **fields)
        self.prefix = prefix


class SystemMessage(core.SystemMessage, RoleMessage):
    """What the model is told to be; see `RoleMessage`."""

    def __init__(self, content: Content, prefix: str | None = None, **fields: Any) -> None:
        core.SystemMessage.__init__(self, content, **fields)
        self.prefix = prefix


class AssistantMessage(core.AssistantMessage, RoleMessage):
    """What the model said.

    Args:
        content: its text; None where it only called tools.
        reasoning: its thoughts.
        reasoning_content: the same, by the name that some servers use; counts where `reasoning` is None.
        tool_calls: tools it wants called: the core's, an OpenAI client's, or dicts in OpenAI's shape.
        finish_reason: why it ended.
        fields: of the core's message.
    """

    def __init__(
        self,
        content: Content | None = None,
        reasoning: str | None = None,
        reasoning_content: str | None = None,
        tool_calls: list[Any] | None = None,  # Any: of whichever client made them
        finish_reason: str | None = None,
        **fields: Any,
    ) -> None:
        thoughts = reasoning_content if reasoning is None else reasoning
        core.AssistantMessage.__init__(self, content, thoughts, tool_calls, finish_reason=finish_reason, **fields)

    @classmethod
    def of(cls, said: core.AssistantMessage) -> Self:
        """A message of the core as one of these."""
        if isinstance(said, cls):
            return said
        told = {name: getattr(said, name) for name in ("logprobs", "output_tokens", "name", "original", "added")}
        calls = said.tool_calls
        return cls(said.content, said.reasoning, tool_calls=calls, finish_reason=said.finish_reason, **told)

    @property
    def reasoning_content(self) -> str | None:
        """The thoughts, by the name that some servers use."""
        return self.reasoning

    @reasoning_content.setter
    def reasoning_content(self, thoughts: str | None) -> None:
        self.reasoning = thoughts

    def to_dict(self) -> dict[str, JsonValue]:
        """The message as OpenAI writes it; thoughts are not sent back."""
        message = core.RoleMessage.to_dict(self)
        calls: list[Any] = self.tool_calls or []  # Any: as they were given
        if calls:
            message["tool_calls"] = [call if isinstance(call, dict) else call.to_dict() for call in calls]
        return message


class ToolMessage(core.ToolMessage, RoleMessage):
    """What a tool answered to one call.

    Args:
        content: the answer.
        tool_call_id: of the call.
        trace_stdout: what the tool wrote to its standard output, for a trace: the model does not read it.
        trace_stderr: and to its standard error.
        fields: of the core's message.
    """

    def __init__(
        self,
        content: Content,
        tool_call_id: str,
        trace_stdout: str | None = None,
        trace_stderr: str | None = None,
        **fields: Any,
    ) -> None:
        core.ToolMessage.__init__(self, content, tool_call_id, **fields)
        self.trace_stdout = trace_stdout
        self.trace_stderr = trace_stderr
