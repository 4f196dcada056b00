"""The state of a decision request as a model is shown it: text, and pictures and the like beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage, is_data_content_block

from scaffolding_core import InvalidRequestError

__all__ = ["shown_state"]

_ROLES = {"human": "user", "ai": "assistant"}

# Any: JSON, with messages and blocks of media anywhere in it.


def shown_state(state: Any) -> tuple[str, list[dict[str, Any]]]:
    """A state as text, and the blocks of media in it, in the order in which the text names them.

    Args:
        state: text, a message, or JSON with messages anywhere in it.

    Raises:
        InvalidRequestError: anything else in it.
    """
    media: list[dict[str, Any]] = []
    shown = _shown(state, media)
    if (
        isinstance(state, BaseMessage)
        and isinstance(shown["content"], str)
        and shown.keys() == {"role", "content"}
    ):
        shown = shown["content"]
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False), media


def _shown(value: Any, media: list[dict[str, Any]]) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, BaseMessage):
        return _message(value, media)
    if isinstance(value, Mapping):
        block = dict(value)
        if _is_media(block):
            media.append(block)
            return f"[attachment {len(media)}]"
        return {str(name): _shown(item, media) for name, item in block.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_shown(item, media) for item in value]
    raise InvalidRequestError(
        f"a state is text, messages, or JSON with messages in it, and this one has a {type(value).__name__} in it"
    )


def _message(message: BaseMessage, media: list[dict[str, Any]]) -> dict[str, Any]:
    content = message.content
    if not isinstance(content, str):
        parts = [_text(part) or _shown(part, media) for part in content]
        content = "\n".join(parts) if all(isinstance(part, str) for part in parts) else parts
    shown: dict[str, Any] = {"role": _ROLES.get(message.type, message.type), "content": content}
    if isinstance(message, AIMessage) and message.tool_calls:
        shown["tool_calls"] = [_shown(dict(call), media) for call in message.tool_calls]
    if isinstance(message, ToolMessage):
        shown["tool_call_id"] = message.tool_call_id
    return shown


def _text(part: object) -> str | None:
    text = part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else None
    return text if isinstance(text, str) else None


def _is_media(block: dict[str, Any]) -> bool:
    return is_data_content_block(block) or block.get("type") in ("image_url", "input_audio")
