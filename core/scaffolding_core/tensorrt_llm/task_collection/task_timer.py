"""TaskTimer: how long each task takes, of all requests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from scaffolding_core.tensorrt_llm.task import Task
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection

__all__ = ["TaskTimer"]


class TaskTimer(TaskCollection):
    """Lists how long each task took, from its yield on: tasks of one list all take as long as the slowest.

    Args:
        statistics_name: where it adds to.
        task_types: the classes of tasks that it times; not their subclasses.

    Attributes:
        statistics: for each name and class of task, seconds of each task, of all requests of this process.
    """

    statistics: ClassVar[dict[str, dict[type[Task], list[float]]]] = {}

    def __init__(self, statistics_name: str, task_types: Sequence[type[Task]]) -> None:
        super().__init__()
        self.statistics_name = statistics_name
        self.task_types = task_types
        self.start_time_map: dict[int, float] = {}
        for task_type in task_types:
            self._seconds(task_type)

    def before_yield(self, tasks: list[Task]) -> None:
        """Start the clock."""
        now = time.perf_counter()
        self.start_time_map.update((id(task), now) for task in tasks if type(task) in self.task_types)

    def after_yield(self, tasks: list[Task]) -> None:
        """Take the time."""
        now = time.perf_counter()
        for task in tasks:
            started = self.start_time_map.pop(id(task), None)
            if started is not None:
                self._seconds(type(task)).append(now - started)

    def after_failure(self, tasks: list[Task]) -> None:
        """What did not run has no time."""
        for task in tasks:
            self.start_time_map.pop(id(task), None)

    def _seconds(self, task_type: type[Task]) -> list[float]:
        return self.statistics.setdefault(self.statistics_name, {}).setdefault(task_type, [])

    @staticmethod
    def get_global_info() -> dict[str, dict[type[Task], list[float]]]:
        """The `statistics`."""
        return TaskTimer.statistics
