"""What a tool of a sandbox answers: a text, and what it wrote."""

from __future__ import annotations

import json

from scaffolding_core.tasks import MCPCallTask
from scaffolding_core.workers.mcp import ToolAnswer

__all__ = ["hand_over"]


def hand_over(task: MCPCallTask, answer: ToolAnswer) -> None:
    """Give a task what a tool answered; a JSON object of `content`, `stdout` and `stderr` in its parts."""
    answer.hand_over(task)
    written = _in_parts(answer.text)
    if written is not None:
        # The core's task has no place for the two.
        vars(task).update(zip(("result_str", "result_stdout", "result_stderr"), written, strict=True))


def _in_parts(text: str) -> tuple[str, str, str] | None:
    try:
        told = json.loads(text) if text.lstrip().startswith("{") else None
    except ValueError:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("content"), str):
        return None
    if not {"stdout", "stderr"} <= told.keys():
        return None
    return told["content"], _text(told["stdout"]), _text(told["stderr"])


def _text(value: object) -> str:
    return "" if value is None else str(value)
