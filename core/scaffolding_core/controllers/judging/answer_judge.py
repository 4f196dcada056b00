"""AnswerJudge: a model judges each answer by itself."""

from __future__ import annotations

from collections.abc import Sequence

from scaffolding_core.controller import Race, Steps
from scaffolding_core.controllers.judging.judge import Judge
from scaffolding_core.controllers.judging.verdict_lines import Verdict
from scaffolding_core.controllers.scoring import score_of
from scaffolding_core.errors import ControllerError
from scaffolding_core.tasks import RewardTask, Task

__all__ = ["AnswerJudge"]


class AnswerJudge(Judge):
    """A model judges each answer by itself; a kind of it overrides `fill`."""

    def process(self, tasks: Sequence[Task], reference: str | None = None) -> Steps[list[float]]:
        """Judge the answers of tasks, all at the same time: finished generations, or reward tasks made by hand.

        Args:
            tasks: to judge.
            reference: in place of the one that the judge was made with.

        Raises:
            WorkerError: the judge failed, or gave no verdict.
            BudgetExceededError: budget or deadline ran out before all were judged.
        """
        self.rewards = [self._reward_task(task) for task in tasks]
        race = Race([self._judged(task, reference) for task in self.rewards], all_needed=True)
        while (outcome := (yield race)) is not None:
            self.rewards[outcome.index].usage = outcome.usage
        self.scores = [score_of(task) for task in self.rewards]
        return self.scores

    def fill(self, task: RewardTask, verdict: Verdict) -> None:
        """Put what the judge said into a reward task."""
        raise ControllerError(f"{type(self).__name__} must override fill()")

    def _judged(self, task: RewardTask, reference: str | None) -> Steps[None]:
        self.fill(task, (yield from self.verdict(task, {"answer": task}, reference)))
