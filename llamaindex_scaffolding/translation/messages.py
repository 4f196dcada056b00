"""LlamaIndex's messages and the core's, both ways, without loss."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from io import IOBase
from typing import Any, TypeAlias, cast

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
from pydantic import TypeAdapter

from scaffolding_core import (
    AssistantMessage,
    InvalidRequestError,
    RoleMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.adapting import JsonObject, read_arguments

__all__ = [
    "from_core",
    "has_media",
    "reasoning_of",
    "to_chat_message",
    "to_core",
    "to_core_as_they_are",
    "tool_calls_of",
]

_ASSISTANT = (MessageRole.ASSISTANT, MessageRole.MODEL, MessageRole.CHATBOT)
_TOOL = (MessageRole.TOOL, MessageRole.FUNCTION)

_AS_IT_IS = "llamaindex_block"
"""Type of a content part that is a block as it came, for a wrapped LLM."""

_ANY_BLOCK: TypeAdapter[ContentBlock] = TypeAdapter(ContentBlock)

Parts: TypeAlias = Callable[[ContentBlock], list[JsonObject]]


def to_core(messages: Sequence[ChatMessage]) -> list[RoleMessage]:
    """The core's messages, for a worker of ours; each carries the one it was made of.

    Files and addresses of audio and documents are read, so this may block: see `has_media`.

    Raises:
        InvalidRequestError: a block that cannot be read, or that has no counterpart, such as a video.
    """
    return [_to_core(message, _parts) for message in messages]


def to_core_as_they_are(messages: Sequence[ChatMessage]) -> list[RoleMessage]:
    """The core's messages, for a wrapped LLM: blocks stay as they are, of whatever kind, and nothing is read."""
    return [_to_core(message, _carried) for message in messages]


def has_media(messages: Sequence[ChatMessage]) -> bool:
    """Whether `to_core` may have to read a file or an address."""
    return any(
        isinstance(block, ImageBlock | AudioBlock | DocumentBlock | CitableBlock)
        for message in messages
        for block in message.blocks
    )


def from_core(messages: Sequence[RoleMessage]) -> list[ChatMessage]:
    """LlamaIndex's messages: those that a method left alone are the very ones that came in."""
    return [
        _with_added(message.original, message.added)
        if isinstance(message.original, ChatMessage)
        else _built(message)
        for message in messages
    ]


def _with_added(message: ChatMessage, paragraphs: Sequence[str]) -> ChatMessage:
    """The message with paragraphs that a method has added, all its blocks in their places."""
    blocks = [*message.blocks]
    for text in paragraphs:
        if len(blocks) == 1 and isinstance(blocks[0], TextBlock):
            blocks = [TextBlock(text=f"{blocks[0].text}\n\n{text}")]
        else:
            blocks.append(TextBlock(text=text))
    return message.model_copy(update={"blocks": blocks}) if paragraphs else message


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


def _to_core(message: ChatMessage, parts_of: Parts) -> RoleMessage:
    parts = [part for block in message.blocks for part in parts_of(block)]
    core = _of_role(message, parts)
    name = message.additional_kwargs.get("name")
    core.name = name if isinstance(name, str) else None
    return core


def _of_role(message: ChatMessage, parts: Sequence[JsonObject]) -> RoleMessage:
    if message.role == MessageRole.DEVELOPER:
        return SystemMessage(_text(message, parts), role="developer", original=message)
    if message.role == MessageRole.SYSTEM:
        return SystemMessage(_text(message, parts), original=message)
    if message.role in _ASSISTANT:
        text = _text(message, parts) or None
        return AssistantMessage(text, reasoning_of(message), tool_calls_of(message), original=message)
    if message.role in _TOOL:
        call_id = message.additional_kwargs.get("tool_call_id", "")
        return ToolMessage(_text(message, parts), str(call_id), original=message)
    if all(part["type"] == "text" for part in parts):
        return UserMessage(_text(message, parts), original=message)
    return UserMessage(parts, original=message)


def _text(message: ChatMessage, parts: Sequence[JsonObject]) -> str:
    for part in parts:
        if part["type"] not in ("text", _AS_IT_IS):
            raise InvalidRequestError(
                f"a message of role {message.role.value!r} holds text alone, and this one has a part of type "
                f"{part['type']!r}: put it into a message of the user"
            )
    return "\n".join(str(part["text"]) for part in parts if part["type"] == "text")


def _carried(block: ContentBlock) -> list[JsonObject]:
    if isinstance(block, TextBlock):
        return [{"type": "text", "text": block.text}]
    if isinstance(block, ThinkingBlock | ToolCallBlock):
        return []
    return [{"type": _AS_IT_IS, "block": block.model_dump(mode="json")}]


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
            data = _base64(block, lambda: block.resolve_audio())
            return [{"type": "input_audio", "input_audio": {"data": data, "format": block.format or "wav"}}]
        case DocumentBlock():
            mimetype = block.document_mimetype or "application/octet-stream"
            data = f"data:{mimetype};base64,{_base64(block, lambda: block.resolve_document())}"
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
    return f"data:{mimetype};base64,{_base64(block, lambda: block.resolve_image())}"


def _base64(block: ContentBlock, resolve: Callable[[], IOBase]) -> str:
    try:
        return base64.b64encode(resolve().read()).decode()
    except (OSError, ValueError) as error:
        raise InvalidRequestError(f"the {type(block).__name__} cannot be read: {error}") from error


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
    return ChatMessage(
        role=MessageRole(message.role),
        blocks=_answer_blocks(message) if isinstance(message, AssistantMessage) else _blocks(message),
        additional_kwargs={"name": message.name, **_kept(message)} if message.name else _kept(message),
    )


def _kept(message: RoleMessage) -> dict[str, Any]:  # Any: LlamaIndex's
    """What LlamaIndex has beside a message's blocks and its name."""
    if isinstance(message, ToolMessage):
        return {"tool_call_id": message.tool_call_id}
    if isinstance(message, AssistantMessage) and message.tool_calls:
        # Its programs and memories look for calls there too.
        return {"tool_calls": [call.to_dict() for call in message.tool_calls]}
    return {}


def _answer_blocks(message: AssistantMessage) -> list[ContentBlock]:
    blocks: list[ContentBlock] = []
    if message.reasoning:
        blocks.append(ThinkingBlock(content=message.reasoning))
    if message.text or not message.tool_calls:
        blocks.append(TextBlock(text=message.text))
    blocks += [_tool_call_block(call) for call in message.tool_calls or ()]
    return blocks


def _tool_call_block(call: ToolCall) -> ToolCallBlock:
    kwargs: dict[str, Any] | str  # Any: whatever JSON holds
    try:
        kwargs = read_arguments(call.arguments)
    except ValueError:
        kwargs = call.arguments  # a broken call keeps its text
    return ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=kwargs)


def _blocks(message: RoleMessage) -> list[ContentBlock]:
    if not isinstance(message.content, Sequence) or isinstance(message.content, str):
        return [TextBlock(text=message.content or "")]
    return [_block(part) for part in message.content]


def _block(part: JsonObject) -> ContentBlock:
    match part.get("type"):
        case "text":
            return TextBlock(text=str(part["text"]))
        case "llamaindex_block":
            return _ANY_BLOCK.validate_python(part["block"])
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
