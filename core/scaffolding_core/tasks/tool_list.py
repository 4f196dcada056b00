"""ToolListTask: ask which tools there are."""

from __future__ import annotations

from dataclasses import dataclass, field

from scaffolding_core.messages import ToolDescription
from scaffolding_core.tasks.roles import RESULT
from scaffolding_core.tasks.task import Task

__all__ = ["ToolListTask"]


@dataclass(slots=True, eq=False, repr=False)
class ToolListTask(Task):
    """Ask which tools there are.

    Attributes:
        tools: what a model may call, as a `ChatTask` takes them.
    """

    tools: list[ToolDescription] | None = field(default=None, kw_only=True, metadata=RESULT)
