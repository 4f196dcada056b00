"""LlamaIndex's messages and the core's, both ways, without loss."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ContentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from scaffolding_core import AssistantMessage, RoleMessage, ScaffoldingOutput, ToolCall, Usage, message_from_dict
from scaffolding_core import ToolMessage as CoreToolMessage
from scaffolding_core.messages import JsonObject

__all__ = ["core_tool_calls", "from_core", "reasoning_of", "to_chat_message", "to_core", "usage_of"]

_ROLES = {
    MessageRole.FUNCTION: "tool",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.DEVELOPER: "system",
}


def to_core(messages: Sequence[ChatMessage]) -> list[RoleMessage]:
    """The core's messages; each carries the one it was made of."""
    converted = []
    for message in messages:
        core = message_from_dict(_openai_shape(message))
        core.original = message
        converted.append(core)
    return converted


def from_core(messages: Sequence[RoleMessage]) -> list[ChatMessage]:
    """LlamaIndex's messages: those that a method left alone are the very ones that came in."""
    return [
        message.original if isinstance(message.original, ChatMessage) else _built(message) for message in messages
    ]


def to_chat_message(message: AssistantMessage) -> ChatMessage:
    """The message of one sample, whole."""
    if isinstance(message.original, ChatMessage):
        # Agents change the blocks of what they get in place.
        return message.original.model_copy(deep=True)
    blocks: list[ContentBlock] = []
    if message.reasoning:
        blocks.append(ThinkingBlock(content=message.reasoning))
    if message.text or not message.tool_calls:
        blocks.append(TextBlock(text=message.text))
    blocks += [_tool_call_block(call) for call in message.tool_calls or ()]
    return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)


def core_tool_calls(message: ChatMessage) -> list[ToolCall] | None:
    """The tool calls of a message."""
    calls = [
        ToolCall(
            block.tool_call_id or "",
            block.tool_name,
            block.tool_kwargs if isinstance(block.tool_kwargs, str) else json.dumps(block.tool_kwargs),
        )
        for block in message.blocks
        if isinstance(block, ToolCallBlock)
    ]
    return calls or None


def reasoning_of(message: ChatMessage) -> str | None:
    """The thoughts of a message."""
    thoughts = [block.content or "" for block in message.blocks if isinstance(block, ThinkingBlock)]
    return "".join(thoughts) or None


def usage_of(response: ChatResponse | CompletionResponse) -> Usage:
    """What one call of a wrapped LLM cost, as far as it tells."""
    raw = response.raw
    found = raw.get("usage") if isinstance(raw, dict) else getattr(raw, "usage", None)
    if found is None:
        found = response.additional_kwargs
    return Usage(
        prompt_tokens=int(_field(found, "prompt_tokens") or 0),
        completion_tokens=int(_field(found, "completion_tokens") or 0),
        calls=1,
    )


def method_details(output: ScaffoldingOutput, trace_id: int) -> dict[str, Any]:
    """What `raw` and `additional_kwargs` hold of a method's result; plain data, fit for JSON."""
    usage = output.usage
    return {
        **output.summary(),
        "trace_id": trace_id,
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
        },
    }


def _field(holder: object, name: str) -> Any:  # Any: whatever a provider's class holds
    return holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)


def _openai_shape(message: ChatMessage) -> JsonObject:
    shape: dict[str, Any] = {
        "role": _ROLES.get(message.role, message.role.value),
        "content": _content(message.blocks),
    }
    calls = core_tool_calls(message)
    if calls:
        shape["tool_calls"] = [call.to_dict() for call in calls]
    elif message.additional_kwargs.get("tool_calls"):
        shape["tool_calls"] = [_plain_call(call) for call in message.additional_kwargs["tool_calls"]]
    if "tool_call_id" in message.additional_kwargs:
        shape["tool_call_id"] = message.additional_kwargs["tool_call_id"]
    return cast("JsonObject", shape)


def _content(blocks: Sequence[ContentBlock]) -> str | list[dict[str, Any]]:
    if not any(isinstance(block, ImageBlock) for block in blocks):
        return "".join(block.text for block in blocks if isinstance(block, TextBlock))
    parts: list[dict[str, Any]] = []
    for block in blocks:
        if isinstance(block, TextBlock):
            parts.append({"type": "text", "text": block.text})
        elif isinstance(block, ImageBlock):
            parts.append({"type": "image_url", "image_url": {"url": _image_url(block)}})
    return parts


def _image_url(block: ImageBlock) -> str:
    if block.url is not None:
        return str(block.url)
    data = block.resolve_image(as_base64=True).read().decode()
    return f"data:{block.image_mimetype or 'image/png'};base64,{data}"


def _plain_call(call: Any) -> dict[str, Any]:  # Any: a provider's own class, or a dict
    return dict(call) if isinstance(call, dict) else cast("dict[str, Any]", call.model_dump())


def _tool_call_block(call: ToolCall) -> ToolCallBlock:
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        arguments = call.arguments
    return ToolCallBlock(
        tool_call_id=call.id,
        tool_name=call.name,
        tool_kwargs=arguments if isinstance(arguments, dict) else call.arguments,
    )


def _built(message: RoleMessage) -> ChatMessage:
    if isinstance(message, AssistantMessage):
        return to_chat_message(message)
    extra = {"tool_call_id": message.tool_call_id} if isinstance(message, CoreToolMessage) else {}
    return ChatMessage(role=MessageRole(message.role), content=message.text, additional_kwargs=extra)
