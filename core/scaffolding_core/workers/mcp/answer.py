"""What a tool answered over the protocol, as an answer that a model may read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scaffolding_core.messages import JsonObject
from scaffolding_core.workers.tools import ToolAnswer

__all__ = ["answer_of"]


def answer_of(result: Mapping[str, Any]) -> ToolAnswer:
    """The answer in a result of `tools/call` as the protocol writes it.

    Args:
        result: its JSON; Any is whatever that holds.
    """
    content = result.get("content") or ()
    parts = [_text(part) for part in content]
    structured = result.get("structuredContent")
    if not parts and structured is not None:
        parts = [json.dumps(structured, ensure_ascii=False)]
    is_rich = any(part.get("type") != "text" for part in content)
    rich = [_as_openai(part) for part in content] if is_rich else None
    return ToolAnswer("\n".join(parts), bool(result.get("isError")), rich, structured)


def _as_openai(part: Mapping[str, Any]) -> JsonObject:
    if part.get("type") == "image":
        url = f"data:{part.get('mimeType')};base64,{part.get('data')}"
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "text", "text": _text(part)}


def _text(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    if kind == "text":
        return str(part.get("text", ""))
    source = part.get("resource") if kind == "resource" else part
    if isinstance(source, Mapping):
        if "text" in source:
            return str(source["text"])
        what = source.get("uri") or source.get("mimeType")
        return f"[{kind}: {what}]"
    return f"[{kind}]"
