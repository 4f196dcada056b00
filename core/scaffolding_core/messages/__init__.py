"""What is said: messages, tool calls, log probabilities, and what it cost."""

from __future__ import annotations

from scaffolding_core.messages.content import Content, JsonObject, JsonValue
from scaffolding_core.messages.from_dict import message_from_dict
from scaffolding_core.messages.message import (
    AssistantMessage,
    RoleMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.messages.part import Part
from scaffolding_core.messages.token_logprob import TokenLogprob
from scaffolding_core.messages.tools import OpenAIToolDescription, ToolCall, ToolDescription
from scaffolding_core.messages.usage import Usage

__all__ = [
    "AssistantMessage",
    "Content",
    "JsonObject",
    "JsonValue",
    "OpenAIToolDescription",
    "Part",
    "RoleMessage",
    "SystemMessage",
    "TokenLogprob",
    "ToolCall",
    "ToolDescription",
    "ToolMessage",
    "Usage",
    "UserMessage",
    "message_from_dict",
]
