"""MCPCallTask: call a tool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import scaffolding_core.tasks as core
from scaffolding_core.tasks.roles import RESULT
from scaffolding_core.tensorrt_llm.tasks.base import Task, opened

__all__ = ["MCPCallTask"]


@opened
@dataclass(eq=False, repr=False)
class MCPCallTask(Task, core.MCPCallTask):
    """Call a tool.

    Attributes:
        result_stdout: what the tool wrote to its standard output, where it tells.
        result_stderr: and to its standard error.
    """

    args: Any = field(default=None, kw_only=True)  # Any: JSON as text, or a dict
    result_stdout: str | None = field(default=None, kw_only=True, metadata=RESULT)
    result_stderr: str | None = field(default=None, kw_only=True, metadata=RESULT)

    @classmethod
    def create_mcptask(cls, *given: Any, **named: Any) -> Self:  # Any: of either call shape
        """A task for a tool call: `(tool_call_id, tool_name, args, worker_tag)`, or without the first."""
        names = ("tool_call_id", "tool_name", "args", "worker_tag")
        shape = names if len(given) + len(named) == len(names) else names[1:]
        return cls(**dict(zip(shape, given, strict=False)), **named)
