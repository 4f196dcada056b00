"""Chat messages, one class for each role."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages.content import Content, JsonValue
from scaffolding_core.messages.token_logprob import TokenLogprob
from scaffolding_core.messages.tools import ToolCall

__all__ = ["AssistantMessage", "RoleMessage", "SystemMessage", "ToolMessage", "UserMessage"]


@dataclass(slots=True)
class RoleMessage:
    """A message with its role; base of the four kinds.

    Attributes:
        name: of who says it, to tell speakers of one role apart.
        original: the message as a wrapped library has it, so that nothing is lost on the way back.
        added: paragraphs of the content that a method has added, and the original lacks.
    """

    role: str
    content: Content | None
    name: str | None = field(default=None, kw_only=True)
    original: object = field(default=None, kw_only=True, repr=False, compare=False)
    added: tuple[str, ...] = field(default=(), kw_only=True, repr=False, compare=False)

    @property
    def text(self) -> str:
        """The text of the content, its parts joined; empty where there is none.

        Raises:
            InvalidRequestError: the content is neither text nor parts.
        """
        if self.content is None:
            return ""
        if isinstance(self.content, str):
            return self.content
        try:
            return "".join(str(part.get("text", "")) for part in self.content if part.get("type") == "text")
        except (AttributeError, TypeError) as error:
            raise InvalidRequestError(
                f"what a message says must be text or a list of parts, got {self.content!r}"
            ) from error

    def with_paragraph(self, text: str) -> Self:
        """A message that says this too, and leaves all parts of the content where they are."""
        content: Content
        if isinstance(self.content, str):
            content = f"{self.content}\n\n{text}"
        else:
            content = [*(self.content or ()), {"type": "text", "text": text}]
        return replace(self, content=content, added=(*self.added, text))

    def to_dict(self) -> dict[str, JsonValue]:
        """The message as OpenAI writes it."""
        return {"role": self.role, "content": self.content, **({"name": self.name} if self.name else {})}


@dataclass(slots=True)
class UserMessage(RoleMessage):
    """What the user says."""

    role: Literal["user"] = field(default="user", init=False)
    content: Content


@dataclass(slots=True)
class SystemMessage(RoleMessage):
    """What the model is told to be, by whoever runs it, or by the developer of what it is used in."""

    role: Literal["system", "developer"] = field(default="system", kw_only=True)
    content: Content


@dataclass(slots=True)
class AssistantMessage(RoleMessage):
    """What the model said, whole; tasks, candidates and outputs refer to it.

    Args:
        content: its text, or content parts; None where it only called tools.
        reasoning: its thoughts, where the backend tells them apart.
        tool_calls: tools it wants called.
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter`, or `cancelled`; None if nobody told.
        logprobs: of each token, where they were asked for.
        output_tokens: its token ids, where the backend tells them.
    """

    role: Literal["assistant"] = field(default="assistant", init=False)
    content: Content | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None
    finish_reason: str | None = field(default=None, kw_only=True, compare=False)
    logprobs: list[TokenLogprob] | None = field(default=None, kw_only=True, compare=False, repr=False)
    output_tokens: list[int] | None = field(default=None, kw_only=True, compare=False, repr=False)

    @property
    def reasoning_content(self) -> str | None:
        """The thoughts, by the name that some servers use."""
        return self.reasoning

    def to_dict(self) -> dict[str, JsonValue]:
        """The message as OpenAI writes it; thoughts are not sent back."""
        message = RoleMessage.to_dict(self)  # super() knows no class with slots
        if self.tool_calls:
            message["tool_calls"] = [call.to_dict() for call in self.tool_calls]
        return message


@dataclass(slots=True)
class ToolMessage(RoleMessage):
    """What a tool answered to one call."""

    role: Literal["tool"] = field(default="tool", init=False)
    content: Content
    tool_call_id: str

    def to_dict(self) -> dict[str, JsonValue]:
        """The message as OpenAI writes it: the call's id tells the tool, and a name is not taken."""
        return {"role": self.role, "content": self.content, "tool_call_id": self.tool_call_id}
