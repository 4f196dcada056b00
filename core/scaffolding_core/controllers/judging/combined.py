"""CombinedReward: several rewards as one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, Self, TypeAlias, cast, get_args

from scaffolding_core.controller import Controller, ParallelProcess, Race, Steps
from scaffolding_core.controllers.judging.once import JudgedOnce
from scaffolding_core.controllers.native_reward import NativeRewardController
from scaffolding_core.controllers.scoring import judged
from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.results import Judgement
from scaffolding_core.tasks import GenerationTask, RewardTask, Task

__all__ = ["By", "CombinedReward", "named"]

By: TypeAlias = Literal["weights", "minimum", "lexical"]
"""How scores are combined: their weighted mean; the lowest; or the first decides, the second between its equals,
and so on."""


class CombinedReward(NativeRewardController):
    """Several rewards as one; all judge at the same time.

    An answer passes where all parts pass it, and fails where one fails it; else its score has to tell. Their words
    are joined. A part that fails to judge fails the judgement, by name.

    By `lexical` an answer's score is the share of the other answers that it beats, so all samples are judged at
    once, when the last is there; a lone answer has the score of the first part. Where samples are judged at once,
    one that cannot be judged has NaN for a score, and its error by its place in `failures`.

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
            given = named(rewards) if rewards else repr(rewards)
            raise InvalidRequestError(f"rewards must be a list of at least one reward, got {given}")
        if by not in get_args(By):
            raise InvalidRequestError(f"by must be one of {', '.join(get_args(By))}, got {by!r}")
        self.parts = list(rewards)
        self.by = by
        self.weights = _checked_weights(weights, len(rewards), by)
        self.compares_samples = by == "lexical" or any(
            bool(getattr(part, "compares_samples", False)) for part in rewards
        )
        self.failures: dict[int, WorkerError] = {}
        self._names = [named(part) for part in rewards]

    @property
    def num_logprobs(self) -> int | None:
        """Likeliest tokens of each place that its parts read; None where none of them reads any."""
        numbers = [getattr(part, "num_logprobs", None) for part in self.parts]
        return max((number for number in numbers if number is not None), default=None)

    def with_parts(self, parts: Sequence[object]) -> Self:
        """The same of other parts, which keep the names of these."""
        new = type(self)(parts, self.by, self.weights if self.by == "weights" else None)
        new._names = self._names
        return new

    def process(self, tasks: Sequence[Task]) -> Steps[list[float]]:
        """Score tasks: finished generations, or reward tasks made by hand.

        Raises:
            InvalidRequestError: a part that is no controller.
            WorkerError: a part failed; where samples are judged at once, at all of them.
        """
        self.rewards = [self._reward_task(task) for task in tasks]
        branches = [
            _judged(name, part, tasks, apart=self.compares_samples)
            for name, part in zip(self._names, self.parts, strict=True)
        ]
        of_parts: list[list[Judgement | WorkerError]] = yield ParallelProcess.from_generators(branches)
        of_tasks = dict(enumerate(zip(*of_parts, strict=True)))
        self.failures = {
            place: each for place, told in of_tasks.items() for each in told if isinstance(each, WorkerError)
        }
        if self.failures and len(self.failures) == len(of_tasks):
            raise self.failures[0]
        judged_well = {
            place: [each for each in told if isinstance(each, Judgement)]
            for place, told in of_tasks.items()
            if place not in self.failures
        }
        scores = self._combined([[said.score for said in each] for each in judged_well.values()])
        self.scores = [math.nan] * len(tasks)
        for (place, said), score in zip(judged_well.items(), scores, strict=True):
            task = self.rewards[place]
            self.scores[place], task.reward, task.verdict = score, score, _verdict(said)
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


def _judged(
    name: str, part: object, tasks: Sequence[Task], *, apart: bool
) -> Steps[list[Judgement | WorkerError]]:
    """What a part says of tasks.

    Args:
        name: what an error calls the part.
        part: judges.
        tasks: to judge.
        apart: a part that compares none judges each by itself, so that one that fails costs no other.
    """
    if not isinstance(part, Controller):
        raise InvalidRequestError(f"{name} has no worker here: give the combined reward to reward=")
    asked = [task.copy() if isinstance(task, RewardTask) else task for task in tasks]  # each fills its own
    try:
        if apart and not getattr(part, "compares_samples", False):
            said = yield from _judged_apart(part, cast("list[GenerationTask | RewardTask]", asked))
        else:
            said = yield from judged(part, asked)
    except WorkerError as error:
        raise _failure(name, error) from error
    return [_failure(name, each) if isinstance(each, WorkerError) else each for each in said]


def _judged_apart(
    part: Controller, tasks: Sequence[GenerationTask | RewardTask]
) -> Steps[list[Judgement | WorkerError]]:
    """What a part says of each task by itself, all at the same time; the same answers are judged once."""
    once = JudgedOnce(part)
    race = Race([once.judge(task) for task in tasks], failures="values", all_needed=True)
    told: list[Judgement | WorkerError | None] = [None] * len(tasks)
    while (outcome := (yield race)) is not None:
        if outcome.error is not None and not isinstance(outcome.error, WorkerError):
            raise outcome.error
        told[outcome.index] = outcome.error or outcome.value
    judgements = []
    for task, said in zip(tasks, told, strict=True):
        judgements.append((yield from _judged_again(once, task)) if said is None else said)
    return judgements


def _judged_again(once: JudgedOnce, task: GenerationTask | RewardTask) -> Steps[Judgement | WorkerError]:
    """What was said of the same answer; where that failed, what is said now."""
    try:
        said = once.known(task) or (yield from once.judge(task))
    except WorkerError as error:
        return error
    assert said is not None  # nothing is being judged any more
    return said


def _failure(name: str, error: WorkerError) -> WorkerError:
    failure = WorkerError(f"{name}, of the combined reward, failed: {error}")
    failure.recurs, failure.__cause__ = error.recurs, error
    return failure


def named(reward: object) -> str:
    """What an error calls a reward."""
    if isinstance(reward, str):
        return repr(reward)
    if isinstance(reward, Mapping):
        return repr(reward.get("kind", [*reward]))  # an option may be a key
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
    if not numbers or len(weights) != parts or not 0 < sum(weights) < math.inf:
        raise InvalidRequestError(
            f"weights must be a number of at least 0 for each of the {parts} rewards, not all 0, got {weights!r}"
        )
    return [float(each) for each in weights]
