"""ComputeTask: run a function; no worker is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from scaffolding_core.tasks.roles import RESULT
from scaffolding_core.tasks.task import Task

__all__ = ["ComputeTask"]


@dataclass(slots=True, eq=False, repr=False)
class ComputeTask(Task):
    """Run a function off the event loop, or an async one on it: no worker is needed.

    Nothing is charged, unless the function sets the task's usage.

    For what a method has to compute itself and what may take longer than a few milliseconds, such as
    comparing answers mathematically. It goes on for as long as the request has time, and for a moment after, so
    that what is quick can still be chosen from what is there; then `BudgetExceededError` is thrown where it is
    waited for.

    Args:
        function: takes nothing; must be pure, since a replayed run calls it again.

    Attributes:
        result: what it returned.
    """

    needs_worker: ClassVar[bool] = False

    function: Callable[[], object] | None = field(default=None, kw_only=True)
    result: object = field(default=None, kw_only=True, metadata=RESULT)
