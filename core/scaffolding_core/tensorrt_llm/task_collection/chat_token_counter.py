"""ChatTokenCounter: the tokens of each chat, of all requests."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.tensorrt_llm.task import ChatTask, Task
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection
from scaffolding_core.tensorrt_llm.task_collection.token_counts import token_counts

__all__ = ["ChatTokenCounter"]


class ChatTokenCounter(TaskCollection):
    """Lists the tokens of each chat that ran.

    Args:
        statistics_name: the list that it adds to.

    Attributes:
        statistics: for each name, (prompt tokens, completion tokens) of each chat, of all requests.
    """

    statistics: ClassVar[dict[str, list[tuple[int, int]]]] = {}

    def __init__(self, statistics_name: str) -> None:
        super().__init__()
        self.statistics_name = statistics_name
        self.statistics.setdefault(statistics_name, [])

    def before_yield(self, tasks: list[Task]) -> None:
        """Ask for the counts."""
        for task in tasks:
            if isinstance(task, ChatTask):
                task.enable_token_counting = True

    def after_yield(self, tasks: list[Task]) -> None:
        """Take them."""
        for task in tasks:
            if isinstance(task, ChatTask):
                counts = token_counts(task)
                self.statistics.setdefault(self.statistics_name, []).append((counts.prompt, counts.completion))

    @staticmethod
    def get_global_info() -> dict[str, list[tuple[int, int]]]:
        """The `statistics`."""
        return ChatTokenCounter.statistics
