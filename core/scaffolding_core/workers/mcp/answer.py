"""ToolAnswer: what a tool answered, as a text that a model may read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["ToolAnswer", "answer_of"]


class ToolAnswer(NamedTuple):
    """What a tool answered.

    Attributes:
        text: its content, one part a line; what is no text is named in brackets.
        failed: the call failed at the tool, and the text says why.
    """

    text: str
    failed: bool = False


def answer_of(result: Mapping[str, Any]) -> ToolAnswer:
    """The answer in a result of `tools/call` as the protocol writes it.

    Args:
        result: its JSON; Any is whatever that holds.
    """
    parts = [_text(part) for part in result.get("content") or ()]
    structured = result.get("structuredContent")
    if not parts and structured is not None:
        parts = [json.dumps(structured, ensure_ascii=False)]
    return ToolAnswer("\n".join(parts), bool(result.get("isError")))


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
