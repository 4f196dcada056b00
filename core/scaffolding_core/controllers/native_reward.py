"""One reward: scores answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum

from scaffolding_core.controller import Controller, Steps
from scaffolding_core.errors import WorkerError
from scaffolding_core.tasks import GenerationTask, RewardTask, Task

__all__ = ["NativeRewardController"]


class NativeRewardController(Controller):
    """Scores the answers of finished tasks with the reward worker.

    Cost: one reward call for each task, all at the same time.

    Attributes:
        scores: the scores of the last run, in order; higher is better.
    """

    class WorkerTag(str, Enum):
        """The worker that scores."""

        REWARD = "reward"

    def __init__(self) -> None:
        self.scores: list[float] | None = None

    def process(self, tasks: Sequence[Task]) -> Steps[list[float]]:
        """Score tasks: finished generations, or reward tasks made by hand.

        Raises:
            WorkerError: the worker set no reward, or one that is no number.
        """
        rewards = [self._reward_task(task) for task in tasks]
        yield rewards
        self.scores = [_score(task) for task in rewards]
        return self.scores

    def _reward_task(self, task: Task) -> RewardTask:
        reward = RewardTask.for_answer(task) if isinstance(task, GenerationTask) else task
        assert isinstance(reward, RewardTask)
        if reward.worker_tag is None:
            reward.worker_tag = self.WorkerTag.REWARD
        return reward


def _score(task: RewardTask) -> float:
    if task.reward is None or math.isnan(task.reward):
        raise WorkerError(f"the reward worker gave {task.reward} for a score: it must give a number")
    return task.reward
