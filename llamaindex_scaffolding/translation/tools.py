"""Tool calls for a model behind a worker of ours; a wrapped LLM has its own ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json

if TYPE_CHECKING:
    from llama_index.core.tools.types import BaseTool

__all__ = ["chat_arguments", "keep_one_call", "selections"]


def chat_arguments(
    tools: Sequence[BaseTool],
    user_msg: str | ChatMessage | None,
    history: Sequence[ChatMessage],
    *,
    parallel: bool,
    required: bool,
    tool_choice: str | dict[str, Any] | None,
) -> dict[str, Any]:
    """What `chat` is called with: messages, tools in OpenAI's shape, and how they may be called."""
    messages = list(history)
    if isinstance(user_msg, str):
        user_msg = ChatMessage(role=MessageRole.USER, content=user_msg)
    if user_msg is not None:
        messages.append(user_msg)
    if not tools:
        return {"messages": messages}
    return {
        "messages": messages,
        "tools": [tool.metadata.to_openai_tool(skip_length_check=True) for tool in tools],
        "tool_choice": _choice(tool_choice, required=required),
        "parallel_tool_calls": parallel,
    }


def selections(response: ChatResponse, *, error_on_none: bool) -> list[ToolSelection]:
    """The tools that a message wants called.

    Raises:
        ValueError: it calls none, and `error_on_none` is set.
    """
    calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    if not calls and error_on_none:
        raise ValueError(f"expected at least one tool call, but got {len(calls)} tool calls")
    return [
        ToolSelection(
            tool_id=call.tool_call_id or "", tool_name=call.tool_name, tool_kwargs=_arguments(call.tool_kwargs)
        )
        for call in calls
    ]


def keep_one_call(response: ChatResponse) -> None:
    """Drop all tool calls but the first, where a model made several though it was told not to."""
    message = response.message
    first = next((block for block in message.blocks if isinstance(block, ToolCallBlock)), None)
    message.blocks = [block for block in message.blocks if block is first or not isinstance(block, ToolCallBlock)]
    if "tool_calls" in message.additional_kwargs:
        message.additional_kwargs["tool_calls"] = message.additional_kwargs["tool_calls"][:1]


def _choice(choice: str | dict[str, Any] | None, *, required: bool) -> str | dict[str, Any]:
    if choice is None:
        return "required" if required else "auto"
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        return {"type": "function", "function": {"name": choice}}
    return choice


def _arguments(given: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    try:
        parsed = parse_partial_json(given)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
