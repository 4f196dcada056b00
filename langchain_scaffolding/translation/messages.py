"""LangChain's messages and the core's, both ways, without loss."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolMessage,
    UsageMetadata,
    convert_to_openai_messages,
)
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails
from langchain_core.messages.tool import ToolCall as LangChainToolCall

from scaffolding_core import (
    AssistantMessage,
    InvalidRequestError,
    RoleMessage,
    ToolCall,
    Usage,
    UserMessage,
    message_from_dict,
)
from scaffolding_core import SystemMessage as CoreSystemMessage
from scaffolding_core import ToolMessage as CoreToolMessage
from scaffolding_core.adapting import read_arguments

__all__ = [
    "core_tool_calls",
    "from_core",
    "reasoning_of",
    "refusal_of",
    "says_something",
    "to_ai_message",
    "to_core",
    "token_usage",
    "usage_from_core",
    "usage_of_call",
    "usage_to_core",
]


def to_core(messages: Sequence[BaseMessage], *, wrapped: bool = False) -> list[RoleMessage]:
    """The core's messages; each carries the one it was made of.

    Args:
        messages: of any kind and content.
        wrapped: they go to a model of LangChain's, which gets what came in. What has no form in OpenAI's API
            is then shown to methods as its text alone.

    Raises:
        InvalidRequestError: no form in OpenAI's API, where that is what the messages go to.
    """
    converted = []
    for message in messages:
        try:
            core = _to_core(message)
        except (ValueError, LookupError, TypeError, AttributeError, InvalidRequestError) as error:
            if not wrapped:
                raise InvalidRequestError(f"a message has no form in OpenAI's API: {error}") from error
            core = _text_alone(message)
        core.original = message
        converted.append(core)
    return converted


def _to_core(message: BaseMessage) -> RoleMessage:
    shape: dict[str, Any] = convert_to_openai_messages(message)
    if isinstance(message, AIMessage):
        # Servers take text and refusals back from a model, not its thoughts, nor what it did on its own.
        said = shape["content"]
        content = said if isinstance(said, str) else [part for part in said if part["type"] in _SAID]
        return AssistantMessage(content or "", reasoning_of(message), core_tool_calls(message), name=message.name)
    return message_from_dict(shape)


def _text_alone(message: BaseMessage) -> RoleMessage:
    text = str(message.text)
    if isinstance(message, SystemMessage):
        return CoreSystemMessage(text)
    if isinstance(message, AIMessage):
        return AssistantMessage(text, reasoning_of(message), core_tool_calls(message))
    if isinstance(message, ToolMessage):
        return CoreToolMessage(text, message.tool_call_id)
    return UserMessage(text)


def from_core(messages: Sequence[RoleMessage]) -> list[BaseMessage]:
    """LangChain's messages: those that a method left alone are the very ones that came in."""
    return [
        _with_added(message.original, message.added)
        if isinstance(message.original, BaseMessage)
        else _built(message)
        for message in messages
    ]


def _with_added(message: BaseMessage, paragraphs: Sequence[str]) -> BaseMessage:
    """The message with paragraphs that a method has added, all its blocks in their places."""
    content = message.content
    for text in paragraphs:
        if isinstance(content, str):
            content = f"{content}\n\n{text}"
        else:
            content = [*content, {"type": "text", "text": text}]
    return message.model_copy(update={"content": content}) if paragraphs else message


def says_something(message: BaseMessage) -> bool:
    """Whether there is anything in a message: text, blocks of another kind, or calls of tools."""
    if isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls):
        return True
    blocks = [message.content] if isinstance(message.content, str) else message.content
    texts = [block if isinstance(block, str) else block.get("text") for block in blocks]
    return any(text is None or str(text).strip() for text in texts)


def to_ai_message(message: AssistantMessage) -> AIMessage:
    """The message of one sample, whole, without an id of its own."""
    if isinstance(message.original, AIMessage):
        return message.original.model_copy(update={"id": None})
    calls, invalid = _tool_calls(message.tool_calls or ())
    return AIMessage(
        content=message.text,
        tool_calls=calls,
        invalid_tool_calls=invalid,
        additional_kwargs={"reasoning_content": message.reasoning} if message.reasoning else {},
    )


_SAID = ("text", "refusal")


def reasoning_of(message: AIMessage) -> str | None:
    """The thoughts of a message, however its provider tells them."""
    extra = message.additional_kwargs.get("reasoning_content")
    if extra or isinstance(message.content, str):
        return extra or None
    thoughts = [block.get("reasoning", "") for block in message.content_blocks if block["type"] == "reasoning"]
    return "".join(thoughts) or None


def refusal_of(message: AIMessage) -> str:
    """What a message says that declines to answer, where its provider tells that apart from text."""
    told = message.additional_kwargs.get("refusal")
    if isinstance(told, str):
        return told
    blocks = message.content if isinstance(message.content, list) else ()
    said = [block.get("refusal") for block in blocks if isinstance(block, dict) and block.get("type") == "refusal"]
    return "".join(text for text in said if isinstance(text, str))


def core_tool_calls(message: AIMessage) -> list[ToolCall] | None:
    """The tool calls of a message; invalid ones keep their text, so that they fail to parse."""
    calls = [ToolCall(call["id"] or "", call["name"], json.dumps(call["args"])) for call in message.tool_calls]
    calls += [
        ToolCall(call["id"] or "", call["name"] or "", call["args"] or "") for call in message.invalid_tool_calls
    ]
    return calls or None


def usage_from_core(usage: Usage) -> UsageMetadata:
    """What was paid, as LangChain counts it."""
    metadata = UsageMetadata(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
    )
    if details := _details(usage, "input", cache_read=usage.cached_tokens):
        metadata["input_token_details"] = cast("InputTokenDetails", details)
    if details := _details(usage, "output", reasoning=usage.reasoning_tokens):
        metadata["output_token_details"] = cast("OutputTokenDetails", details)
    return metadata


def _details(usage: Usage, side: str, **counted: int) -> dict[str, int]:
    told = {
        name.removeprefix(f"{side}_"): count
        for name, count in (usage.details or {}).items()
        if name.startswith(f"{side}_")
    }
    return told | {name: count for name, count in counted.items() if count or name in told}


def token_usage(usage: Usage) -> dict[str, int]:
    """What was paid, as LangChain's models tell it in `llm_output`."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def usage_to_core(message: AIMessage) -> Usage:
    """What one call of a wrapped model cost."""
    return usage_of_call(message.usage_metadata)


def usage_of_call(metadata: UsageMetadata | None) -> Usage:
    """What one call cost, as LangChain counts it; None where nobody told."""
    if metadata is None:
        return Usage(calls=1)
    sides = {"input": metadata.get("input_token_details"), "output": metadata.get("output_token_details")}
    details: dict[str, int] = {
        f"{side}_{name}": count
        for side, told in sides.items()
        for name, count in (told or {}).items()
        if isinstance(count, int) and count >= 0
    }
    return Usage(
        prompt_tokens=max(0, metadata["input_tokens"]),  # a negative count is none
        completion_tokens=max(0, metadata["output_tokens"]),
        cached_tokens=details.get("input_cache_read", 0),
        reasoning_tokens=details.get("output_reasoning", 0),
        calls=1,
        details=details or None,
    )


def _built(message: RoleMessage) -> BaseMessage:
    content = cast("str | list[str | dict[str, Any]]", message.content if message.content is not None else "")
    if isinstance(message, CoreSystemMessage):
        return SystemMessage(content, name=message.name)
    if isinstance(message, CoreToolMessage):
        return ToolMessage(content, tool_call_id=message.tool_call_id, name=message.name)
    if isinstance(message, AssistantMessage):
        return to_ai_message(message)
    return HumanMessage(content, name=message.name)


def _tool_calls(calls: Sequence[ToolCall]) -> tuple[list[LangChainToolCall], list[InvalidToolCall]]:
    valid: list[LangChainToolCall] = []
    invalid: list[InvalidToolCall] = []
    for call in calls:
        try:
            args = read_arguments(call.arguments)
            valid.append(LangChainToolCall(name=call.name, args=args, id=call.id, type="tool_call"))
        except ValueError:
            problem = "arguments are no JSON object"
            invalid.append(
                InvalidToolCall(
                    name=call.name, args=call.arguments, id=call.id, error=problem, type="invalid_tool_call"
                )
            )
    return valid, invalid
