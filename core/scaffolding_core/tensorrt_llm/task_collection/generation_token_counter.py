"""GenerationTokenCounter: how many tokens a controller generates."""

from __future__ import annotations

from dataclasses import dataclass

from scaffolding_core.tensorrt_llm.task import GenerationTask, Task
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection

__all__ = ["GenerationTokenCounter"]


class GenerationTokenCounter(TaskCollection):
    """Counts the tokens that a controller generates.

    They are the task's `output_tokens`; where a worker tells none, those of its usage. Of a task that goes on
    where it stopped, as a stream in steps, only what is new is counted.

    Attributes:
        generation_token_count: tokens of all tasks that ran.
    """

    def __init__(self) -> None:
        super().__init__()
        self.generation_token_count = 0
        self._before: dict[int, _Written] = {}

    def before_yield(self, tasks: list[Task]) -> None:
        """Remember what they have written so far."""
        for task in tasks:
            if isinstance(task, GenerationTask):
                paid = task.usage.completion_tokens if task.goes_on and task.usage is not None else 0
                self._before[id(task)] = _Written(list(task.output_tokens or ()), paid)

    def after_yield(self, tasks: list[Task]) -> None:
        """Count what is new."""
        for task in tasks:
            if isinstance(task, GenerationTask):
                self.generation_token_count += _new_tokens(task, self._before.pop(id(task), _Written([], 0)))

    def after_failure(self, tasks: list[Task]) -> None:
        """Count what those have written that did run."""
        self.after_yield([task for task in tasks if id(task) in self._before])


@dataclass(frozen=True, slots=True)
class _Written:
    tokens: list[int]
    paid: int


def _new_tokens(task: GenerationTask, before: _Written) -> int:
    tokens, known = task.output_tokens, len(before.tokens)
    if tokens:
        return len(tokens) - known if list(tokens[:known]) == before.tokens else len(tokens)
    return task.usage.completion_tokens - before.paid if task.usage is not None else 0
