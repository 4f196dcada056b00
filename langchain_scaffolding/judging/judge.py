"""A judge: what scores the core's reward tasks with something of LangChain's."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from langchain_scaffolding.judging.verdicts import feedback_of, score_of
from scaffolding_core import RewardTask, Task
from scaffolding_core.adapting import in_run_of, prompt_text

__all__ = ["Judge"]


class Judge:
    """Scores a `RewardTask`."""

    async def __call__(self, task: Task) -> float:
        """The score, a number."""
        assert isinstance(task, RewardTask)
        answer = task.response.text if task.response is not None else ""
        with in_run_of(task.response):
            said = await self._ask(task, prompt_text(task), answer)
        task.feedback = feedback_of(said)
        return score_of(said)

    @abstractmethod
    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:  # Any: verdicts.py reads it
        """What the judge says."""
