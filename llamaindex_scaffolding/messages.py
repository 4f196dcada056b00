"""LlamaIndex's messages and the core's, both ways, without loss."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from scaffolding_core import (
    AssistantMessage,
    InvalidRequestError,
    RoleMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.messages import JsonObject

__all__ = ["from_core", "reasoning_of", "to_chat_message", "to_core", "tool_calls_of"]

_SYSTEM = (MessageRole.SYSTEM, MessageRole.DEVELOPER)
_ASSISTANT = (MessageRole.ASSISTANT, MessageRole.MODEL, MessageRole.CHATBOT)
_TOOL = (MessageRole.TOOL, MessageRole.FUNCTION)


def to_core(messages: Sequence[ChatMessage]) -> list[RoleMessage]:
    """The core's messages; each carries the one it was made of.

    Raises:
        InvalidRequestError: a block that has no counterpart, such as a video.
    """
    return [_to_core(message) for message in messages]


def from_core(messages: Sequence[RoleMessage]) -> list[ChatMessage]:
    """LlamaIndex's messages: those that a method left alone are the very ones that came in."""
    return [
        message.original if isinstance(message.original, ChatMessage) else _built(message) for message in messages
    ]


def to_chat_message(message: AssistantMessage) -> ChatMessage:
    """The message of one sample, whole, as a copy of its own: agents change messages in place."""
    if isinstance(message.original, ChatMessage):
        return message.original.model_copy(deep=True)
    return _built(message)


def reasoning_of(message: ChatMessage) -> str | None:
    """The thoughts in a message."""
    thoughts = [block.content or "" for block in message.blocks if isinstance(block, ThinkingBlock)]
    return "\n".join(thoughts) or None


def tool_calls_of(message: ChatMessage) -> list[ToolCall] | None:
    """The tool calls in a message: its blocks, or those that older integrations put beside them."""
    calls = [
        ToolCall(block.tool_call_id or "", block.tool_name, _as_json(block.tool_kwargs))
        for block in message.blocks
        if isinstance(block, ToolCallBlock)
    ]
    if not calls:
        calls = [_beside(call) for call in message.additional_kwargs.get("tool_calls") or ()]
    return calls or None


def _to_core(message: ChatMessage) -> RoleMessage:
    if message.role in _SYSTEM:
        return SystemMessage(_text(message), original=message)
    if message.role in _ASSISTANT:
        text = _text(message)
        calls = tool_calls_of(message)
        return AssistantMessage(text or None, reasoning_of(message), calls, original=message)
    if message.role in _TOOL:
        call_id = message.additional_kwargs.get("tool_call_id", "")
        return ToolMessage(_text(message), str(call_id), original=message)
    if all(isinstance(block, TextBlock) for block in message.blocks):
        return UserMessage(_text(message), original=message)
    parts = [part for block in message.blocks for part in _parts(block)]
    return UserMessage(parts, original=message)


def _text(message: ChatMessage) -> str:
    texts = [part["text"] for block in message.blocks for part in _parts(block) if part["type"] == "text"]
    return "\n".join(str(text) for text in texts)


def _parts(block: ContentBlock) -> list[JsonObject]:
    """A block as OpenAI content parts; none where it is told in another way, or is a hint alone."""
    match block:
        case TextBlock():
            return [{"type": "text", "text": block.text}]
        case ImageBlock():
            image: dict[str, str] = {"url": _address(block)}
            if block.detail:
                image["detail"] = block.detail
            return [{"type": "image_url", "image_url": image}]
        case AudioBlock():
            data = _base64(block.resolve_audio().read())
            return [{"type": "input_audio", "input_audio": {"data": data, "format": block.format or "wav"}}]
        case DocumentBlock():
            mimetype = block.document_mimetype or "application/octet-stream"
            data = f"data:{mimetype};base64,{_base64(block.resolve_document().read())}"
            return [{"type": "file", "file": {"filename": block.title or "document", "file_data": data}}]
        case CitableBlock():
            return [part for inner in block.content for part in _parts(inner)]
        case CitationBlock():
            return _parts(block.cited_content)
        case ThinkingBlock() | ToolCallBlock() | CachePoint():
            return []
    raise InvalidRequestError(
        f"a {type(block).__name__} cannot be sent: use text, images, audio, documents, thoughts or tool calls"
    )


def _address(block: ImageBlock) -> str:
    if block.url:
        return str(block.url)
    mimetype = block.image_mimetype or "image/png"
    return f"data:{mimetype};base64,{_base64(block.resolve_image().read())}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _as_json(arguments: Mapping[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _beside(call: Any) -> ToolCall:  # Any: an object of the provider's library, or a dict
    if isinstance(call, Mapping):
        function = call.get("function", call)
        return ToolCall(str(call.get("id", "")), function["name"], _as_json(function.get("arguments", "{}")))
    function = getattr(call, "function", None)
    if function is not None:
        return ToolCall(call.id or "", function.name or "", _as_json(function.arguments or "{}"))
    return ToolCall(call.tool_id, call.tool_name, _as_json(call.tool_kwargs))


def _built(message: RoleMessage) -> ChatMessage:
    if isinstance(message, SystemMessage):
        return ChatMessage(role=MessageRole.SYSTEM, blocks=_blocks(message))
    if isinstance(message, ToolMessage):
        return ChatMessage(
            role=MessageRole.TOOL,
            blocks=_blocks(message),
            additional_kwargs={"tool_call_id": message.tool_call_id},
        )
    if isinstance(message, AssistantMessage):
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=_answer_blocks(message))
    return ChatMessage(role=MessageRole.USER, blocks=_blocks(message))


def _answer_blocks(message: AssistantMessage) -> list[ContentBlock]:
    blocks: list[ContentBlock] = []
    if message.reasoning:
        blocks.append(ThinkingBlock(content=message.reasoning))
    if message.text or not message.tool_calls:
        blocks.append(TextBlock(text=message.text))
    blocks += [_tool_call_block(call) for call in message.tool_calls or ()]
    return blocks


def _tool_call_block(call: ToolCall) -> ToolCallBlock:
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        arguments = None
    kwargs = arguments if isinstance(arguments, dict) else call.arguments  # a broken call keeps its text
    return ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=kwargs)


def _blocks(message: RoleMessage) -> list[ContentBlock]:
    if not isinstance(message.content, Sequence) or isinstance(message.content, str):
        return [TextBlock(text=message.content or "")]
    return [_block(part) for part in message.content]


def _block(part: JsonObject) -> ContentBlock:
    match part.get("type"):
        case "text":
            return TextBlock(text=str(part["text"]))
        case "image_url":
            image = cast("Mapping[str, str]", part["image_url"])
            return ImageBlock(url=image["url"], detail=image.get("detail"))
        case "input_audio":
            audio = cast("Mapping[str, str]", part["input_audio"])
            return AudioBlock(audio=audio["data"].encode(), format=audio.get("format"))
        case "file":
            return _document(cast("Mapping[str, str]", part["file"]))
    raise InvalidRequestError(f"a content part of type {part.get('type')!r} has no block in LlamaIndex")


def _document(file: Mapping[str, str]) -> DocumentBlock:
    head, _, data = file.get("file_data", "").partition(";base64,")
    mimetype = head.removeprefix("data:") or None
    return DocumentBlock(data=data.encode(), title=file.get("filename"), document_mimetype=mimetype)
