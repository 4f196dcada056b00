"""CombinedReward: several rewards as one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, Self, TypeAlias, get_args

from scaffolding_core.controller import Controller, ParallelProcess, Steps
from scaffolding_core.controllers.native_reward import NativeRewardController
from scaffolding_core.controllers.scoring import judged
from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.results import Judgement
from scaffolding_core.tasks import RewardTask, Task

__all__ = ["By", "CombinedReward", "named"]

By: TypeAlias = Literal["weights", "minimum", "lexical"]
"""How scores are combined: their weighted mean; the lowest; or the first decides, the second between its equals,
and so on."""


class CombinedReward(NativeRewardController):
    """Several rewards as one; all judge at the same time.

    An answer passes where all parts pass it, and fails where one fails it; else its score has to tell. Their words
    are joined. A part that fails to judge fails the judgement, by name.

    By `lexical` an answer's score is the share of the other answers that it beats, so all samples are judged at
    once, when the last is there; a lone answer has the score of the first part.

    Cost: that of all its parts.

    Args:
        rewards: whatever `reward=` takes, others that are combined too; controllers alone where no `reward=`
            finds their workers.
        by: `weights`, `minimum` or `lexical`.
        weights: of `weights`, one for each reward, at least 0; equal ones where left out.

    Raises:
        InvalidRequestError: no reward, an unknown `by`, or weights that are none.
    """

    def __init__(
        self, rewards: Sequence[object], by: By = "weights", weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        if isinstance(rewards, str | Mapping) or not isinstance(rewards, Sequence) or not rewards:
            raise InvalidRequestError(f"rewards must be a list of at least one reward, got {rewards!r}")
        if by not in get_args(By):
            raise InvalidRequestError(f"by must be one of {', '.join(get_args(By))}, got {by!r}")
        self.parts = list(rewards)
        self.by = by
        self.weights = _checked_weights(weights, len(rewards), by)
        self.compares_samples = by == "lexical" or any(
            bool(getattr(part, "compares_samples", False)) for part in rewards
        )
        self._names = [named(part) for part in rewards]

    def with_parts(self, parts: Sequence[object]) -> Self:
        """The same of other parts, which keep the names of these."""
        new = type(self)(parts, self.by, self.weights if self.by == "weights" else None)
        new._names = self._names
        return new

    def process(self, tasks: Sequence[Task]) -> Steps[list[float]]:
        """Score tasks: finished generations, or reward tasks made by hand.

        Raises:
            InvalidRequestError: a part that is no controller.
            WorkerError: a part failed.
        """
        self.rewards = [self._reward_task(task) for task in tasks]
        branches = [_judged(name, part, tasks) for name, part in zip(self._names, self.parts, strict=True)]
        of_parts: list[list[Judgement]] = yield ParallelProcess.from_generators(branches)
        of_tasks = [list(each) for each in zip(*of_parts, strict=True)]
        self.scores = self._combined([[said.score for said in each] for each in of_tasks])
        for task, score, said in zip(self.rewards, self.scores, of_tasks, strict=True):
            task.reward, task.verdict = score, _verdict(said)
            task.feedback = "\n".join(each.feedback for each in said if each.feedback) or None
        return self.scores

    def _combined(self, scores: Sequence[list[float]]) -> list[float]:
        if self.by == "minimum":
            return [min(each) for each in scores]
        if self.by == "weights":
            total = sum(self.weights)
            shares = [weight / total for weight in self.weights]  # first, as a score may be the lowest there is
            return [sum(score * share for score, share in zip(each, shares, strict=True)) for each in scores]
        if len(scores) == 1:
            return [scores[0][0]]
        return [sum(each > other for other in scores) / (len(scores) - 1) for each in scores]


def _judged(name: str, part: object, tasks: Sequence[Task]) -> Steps[list[Judgement]]:
    if not isinstance(part, Controller):
        raise InvalidRequestError(f"{name} has no worker here: give the combined reward to reward=")
    asked = [task.copy() if isinstance(task, RewardTask) else task for task in tasks]  # each fills its own
    try:
        said = yield from judged(part, asked)
    except WorkerError as error:
        failure = WorkerError(f"{name}, of the combined reward, failed: {error}")
        failure.recurs = error.recurs
        raise failure from error
    return said


def named(reward: object) -> str:
    """What an error calls a reward."""
    if isinstance(reward, str):
        return repr(reward)
    if isinstance(reward, Mapping):
        return repr(reward.get("kind", dict(reward)))
    name = getattr(reward, "__name__", None)
    return name if isinstance(name, str) else type(reward).__name__


def _verdict(said: Sequence[Judgement]) -> bool | None:
    verdicts = {each.verdict for each in said}
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _checked_weights(weights: Sequence[float] | None, parts: int, by: By) -> list[float]:
    if weights is None:
        return [1.0] * parts
    if by != "weights":
        raise InvalidRequestError(f"weights are for by='weights': leave them out of by={by!r}")
    numbers = isinstance(weights, Sequence) and all(
        isinstance(each, int | float) and math.isfinite(each) and each >= 0 for each in weights
    )
    if not numbers or len(weights) != parts or not sum(weights):
        raise InvalidRequestError(
            f"weights must be a number of at least 0 for each of the {parts} rewards, not all 0, got {weights!r}"
        )
    return [float(each) for each in weights]
