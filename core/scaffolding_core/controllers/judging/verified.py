"""VerifiedReward: a verifier as a reward."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from scaffolding_core.controller import Steps
from scaffolding_core.controllers.native_reward import NativeRewardController
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.controllers.scoring import score_of
from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.tasks import ComputeTask, Task
from scaffolding_core.verifying import Verdict, Verifier

__all__ = ["VerifiedReward"]


class VerifiedReward(NativeRewardController):
    """Scores an answer 1 where a verifier passes it, else 0; its verdict and feedback are the reward's.

    Cost: no call of a model; a thread for each answer, all at the same time, as long as the request has time.

    Args:
        verifier: has `verify(message)`.

    Raises:
        InvalidRequestError: it has not.
    """

    def __init__(self, verifier: Verifier) -> None:
        super().__init__()
        self.verifier = checked_part(verifier, "verifier", "verify")

    def process(self, tasks: Sequence[Task]) -> Steps[list[float]]:
        """Verify the answers of tasks: finished generations, or reward tasks made by hand.

        Raises:
            BudgetExceededError: time was up before all were verified.
            WorkerError: the verifier failed, or gave no verdict.
        """
        self.rewards = [self._reward_task(task) for task in tasks]
        verdicts = [
            ComputeTask(function=functools.partial(self.verifier.verify, task.response or AssistantMessage()))
            for task in self.rewards
        ]
        yield verdicts
        for task, verdict in zip(self.rewards, verdicts, strict=True):
            if not isinstance(verdict.result, Verdict):
                name = type(self.verifier).__name__
                raise WorkerError(f"{name} must return a Verdict, got {type(verdict.result).__name__}")
            task.verdict, task.feedback = verdict.result
        self.scores = [score_of(task) for task in self.rewards]
        return self.scores
