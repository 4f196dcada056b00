"""MCPCallTask: call a tool."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from scaffolding_core.messages import JsonObject, JsonValue
from scaffolding_core.tasks.roles import OF_RUN, RESULT
from scaffolding_core.tasks.task import Task

__all__ = ["MCPCallTask"]


@dataclass(slots=True, eq=False, repr=False)
class MCPCallTask(Task):
    """Call a tool.

    Args:
        tool_call_id: ties it to the `ToolCall` that asked for it.
        tool_name: of the tool.
        args: its arguments, a JSON object as text.
        once: calls of one request that share it run once, and all get what the first is answered.

    Attributes:
        result_str: what the tool answered; where the call failed, why, for the model to read.
        failed: the call failed at the tool.
        content_parts: the answer as content parts, images among them, where the tool tells them apart.
        structured: the answer as data, where the tool gives it.
    """

    tool_call_id: str | None = field(default=None, kw_only=True)
    tool_name: str | None = field(default=None, kw_only=True)
    args: str | None = field(default=None, kw_only=True)
    result_str: str | None = field(default=None, kw_only=True, metadata=RESULT)
    once: str | None = field(default=None, kw_only=True, metadata=OF_RUN)
    failed: bool = field(default=False, kw_only=True, metadata=RESULT)
    content_parts: list[JsonObject] | None = field(default=None, kw_only=True, metadata=RESULT)
    structured: JsonValue = field(default=None, kw_only=True, metadata=RESULT)

    @classmethod
    def create_mcptask(
        cls, tool_call_id: str, tool_name: str, args: str, worker_tag: Hashable = None
    ) -> MCPCallTask:
        """A task for a tool call."""
        return cls(worker_tag, tool_call_id=tool_call_id, tool_name=tool_name, args=args)
