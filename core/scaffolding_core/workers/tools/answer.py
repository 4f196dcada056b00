"""ToolAnswer: what a tool answered, as a text that a model may read, and whole."""

from __future__ import annotations

from typing import NamedTuple

from scaffolding_core.messages import JsonObject, JsonValue
from scaffolding_core.tasks import MCPCallTask

__all__ = ["ToolAnswer"]


class ToolAnswer(NamedTuple):
    """What a tool answered.

    Attributes:
        text: its content, one part a line; what is no text is named in brackets.
        failed: the call failed at the tool, and the text says why.
        parts: its content parts, as OpenAI writes them, where there is more than text.
        structured: its answer as data, where it gives it.
    """

    text: str
    failed: bool = False
    parts: list[JsonObject] | None = None
    structured: JsonValue = None

    def hand_over(self, task: MCPCallTask) -> None:
        """Give it to the task that called the tool."""
        task.result_str, task.failed, task.content_parts, task.structured = self
