"""Messages out of OpenAI's shape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages.content import JsonObject, JsonValue
from scaffolding_core.messages.message import (
    AssistantMessage,
    RoleMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.messages.tools import ToolCall

__all__ = ["message_from_dict"]


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
            return SystemMessage(content, role=role)  # type: ignore[arg-type]  # as above
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
