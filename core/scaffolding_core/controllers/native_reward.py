"""One reward: scores answers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from enum import Enum

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.scoring import score_of
from scaffolding_core.tasks import GenerationTask, RewardTask, Task

__all__ = ["NativeRewardController"]


class NativeRewardController(Controller):
    """Scores the answers of finished tasks with the reward worker.

    Cost: one reward call for each task, all at the same time.

    Args:
        role: whose worker scores, whatever the tasks say; None for `WorkerTag.REWARD`, unless a task names
            another.

    Attributes:
        scores: the scores of the last run, in order; higher is better.
        rewards: the reward tasks of the last run, with whatever else the worker says.
        compares_samples: a method that draws samples hands over all of them at once, rather than each as it ends;
            for subclasses whose score of one answer depends on the others.
    """

    class WorkerTag(str, Enum):
        """The worker that scores."""

        REWARD = "reward"

    compares_samples: bool = False
    _role: Hashable = None

    def __init__(self, *, role: Hashable = None) -> None:
        self.scores: list[float] | None = None
        self.rewards: list[RewardTask] | None = None
        self._role = role

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """The role that scores; none where a subclass scores by itself."""
        if type(self).process is not NativeRewardController.process:
            return {}
        return {self.WorkerTag.REWARD if self._role is None else self._role: Capabilities()}

    def process(self, tasks: Sequence[Task]) -> Steps[list[float]]:
        """Score tasks: finished generations, or reward tasks made by hand.

        Raises:
            WorkerError: the worker set no reward, or one that is no finite number.
        """
        self.rewards = [self._reward_task(task) for task in tasks]
        yield self.rewards
        self.scores = [score_of(task) for task in self.rewards]
        return self.scores

    def _reward_task(self, task: Task) -> RewardTask:
        reward = RewardTask.for_answer(task) if isinstance(task, GenerationTask) else task
        assert isinstance(reward, RewardTask)
        if self._role is not None:
            reward.worker_tag = self._role
        elif reward.worker_tag is None:
            reward.worker_tag = self.WorkerTag.REWARD
        return reward
