"""NativeRewardController: scores answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import scaffolding_core.controllers as core
from scaffolding_core.controller import Steps
from scaffolding_core.tensorrt_llm.controllers.base import Controller

__all__ = ["NativeRewardController"]


class NativeRewardController(Controller, core.NativeRewardController):
    """Hands finished tasks, all samples at once, to the reward worker; a subclass reads their `scores`.

    Attributes:
        scores: of the tasks, in order; higher is better.
    """

    def __init__(self) -> None:
        core.NativeRewardController.__init__(self)

    def process(self, tasks: Sequence[Any], **kwargs: Any) -> Steps[Any]:
        """Let the worker have the tasks themselves."""
        for task in tasks:
            task.worker_tag = self.WorkerTag.REWARD
        yield tasks
