"""RewardTask: score an answer."""

from __future__ import annotations

from dataclasses import dataclass

import scaffolding_core.tasks as core
from scaffolding_core.tensorrt_llm.tasks.base import Task, opened

__all__ = ["RewardTask"]


@opened
@dataclass(eq=False, repr=False)
class RewardTask(Task, core.RewardTask):
    """Score an answer."""
