"""Chat messages, tool calls, tool descriptions and log probabilities, in OpenAI's shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from scaffolding_core.errors import InvalidRequestError

__all__ = [
    "AssistantMessage",
    "Content",
    "JsonObject",
    "JsonValue",
    "OpenAIToolDescription",
    "RoleMessage",
    "SystemMessage",
    "TokenLogprob",
    "ToolCall",
    "ToolDescription",
    "ToolMessage",
    "UserMessage",
    "message_from_dict",
]

JsonValue: TypeAlias = "None | bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue]"
JsonObject: TypeAlias = Mapping[str, JsonValue]
Content: TypeAlias = "str | Sequence[JsonObject]"
"""Plain text, or OpenAI content parts (`{"type": "text", ...}`, `{"type": "image_url", ...}`)."""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A generated token with its log probability (natural log).

    Args:
        token: its text.
        logprob: of the token itself.
        top: the most likely tokens at this place and their log probabilities.
    """

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(slots=True)
class ToolCall:
    """A tool that the model wants called.

    Args:
        id: ties the call to its `ToolMessage`.
        name: of the tool.
        arguments: as the model wrote them: meant to be a JSON object, not checked here.
    """

    id: str
    name: str
    arguments: str

    @property
    def function(self) -> ToolCall:
        """The call itself, so that `call.function.name` reads as with OpenAI's types."""
        return self

    def to_dict(self) -> dict[str, JsonValue]:
        """The call as OpenAI writes it."""
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }


@dataclass(slots=True)
class RoleMessage:
    """A message with its role; base of the four kinds.

    Attributes:
        name: of who says it, to tell speakers of one role apart.
        original: the message as a wrapped library has it, so that nothing is lost on the way back.
    """

    role: str
    content: Content | None
    name: str | None = field(default=None, kw_only=True)
    original: object = field(default=None, kw_only=True, repr=False, compare=False)

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
    """What the model is told to be."""

    role: Literal["system"] = field(default="system", init=False)
    content: Content


@dataclass(slots=True)
class AssistantMessage(RoleMessage):
    """What the model said.

    Args:
        content: its text; None where it only called tools.
        reasoning: its thoughts, where the backend tells them apart.
        tool_calls: tools it wants called.
    """

    role: Literal["assistant"] = field(default="assistant", init=False)
    content: Content | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None

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


@dataclass(slots=True)
class ToolDescription:
    """A tool that the model may call.

    Args:
        name: of the tool.
        description: what it does, for the model.
        parameters: a JSON schema of type object, or only the map of its properties.
    """

    name: str
    description: str
    parameters: JsonObject

    def to_dict(self) -> dict[str, JsonValue]:
        """The tool as OpenAI writes it."""
        schema = self.parameters
        if schema.get("type") != "object":
            schema = {"type": "object", "properties": schema}
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": schema},
        }


OpenAIToolDescription = ToolDescription


def message_from_dict(message: JsonObject) -> RoleMessage:
    """Read a message in OpenAI's shape.

    Raises:
        InvalidRequestError: no known role, or no content where one is due.
    """
    core = _of_role(message)
    name = message.get("name")
    if isinstance(name, str):
        core.name = name
    return core


def _of_role(message: JsonObject) -> RoleMessage:
    role = message.get("role")
    content = message.get("content")
    if content is not None and not isinstance(content, str | Sequence):
        raise InvalidRequestError(f"message content must be text or a list of parts, got {content!r}")
    if role == "assistant":
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        return AssistantMessage(
            content,  # type: ignore[arg-type]  # parts are checked by the backend
            reasoning if isinstance(reasoning, str) else None,
            _tool_calls(message.get("tool_calls")),
        )
    if content is None:
        raise InvalidRequestError(f"a message of role {role!r} needs content")
    match role:
        case "user":
            return UserMessage(content)  # type: ignore[arg-type]  # as above
        case "system" | "developer":
            return SystemMessage(content)  # type: ignore[arg-type]  # as above
        case "tool":
            return ToolMessage(content, str(message.get("tool_call_id", "")))  # type: ignore[arg-type]  # as above
    raise InvalidRequestError(f"message role must be system, user, assistant or tool, got {role!r}")


def _tool_calls(calls: JsonValue) -> list[ToolCall] | None:
    if not calls:
        return None
    if not isinstance(calls, Sequence) or isinstance(calls, str):
        raise InvalidRequestError(f"tool_calls must be a list, got {calls!r}")
    found = []
    for call in calls:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(call, Mapping) or not isinstance(function, Mapping) or "name" not in function:
            raise InvalidRequestError(f"a tool call needs a function with a name, got {call!r}")
        arguments = function.get("arguments", "{}")
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments)
        found.append(ToolCall(str(call.get("id", "")), str(function["name"]), arguments))
    return found
