"""Scoring: what a reward says of answers, however it says it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, SupportsFloat

from scaffolding_core.controller import Controller, Steps
from scaffolding_core.errors import WorkerError
from scaffolding_core.results import Judgement
from scaffolding_core.shown_text import sentence
from scaffolding_core.tasks import RewardTask, Task

__all__ = ["judged", "score_of"]


def judged(
    rewarder: Controller, tasks: Sequence[Task], options: Mapping[str, object] | None = None
) -> Steps[list[Judgement | WorkerError]]:
    """What a reward says of tasks, in order; the error where it could not score one among others.

    Args:
        rewarder: its `process` returns the scores, or leaves them in `scores`; one that makes reward tasks of what
            it is given leaves those in `rewards`, and why it could not score some, by their places, in `failures`.
        tasks: finished generations, or reward tasks.
        options: of its `process`.

    Raises:
        WorkerError: it could not score them, gave no score or not one for each, or none that is a finite number.
    """
    judge: Any = rewarder.clone()  # Any: one of a user's own may leave its scores on itself
    returned = yield from judge.process(tasks, **(options or {}))
    scores = getattr(judge, "scores", None) if returned is None else returned
    name = type(judge).__name__
    if isinstance(scores, str | Mapping) or not isinstance(scores, Collection) or not len(scores):
        raise WorkerError(f"{name} gave no score: return a list of them, or leave it in 'scores'")
    if len(scores) != len(tasks):
        raise WorkerError(f"{name} gave {len(scores)} scores for {len(tasks)} answers: give one for each")
    said = getattr(judge, "rewards", None)
    asked = said if isinstance(said, list) and len(said) == len(tasks) else tasks
    failures = getattr(judge, "failures", None) or {}
    told = [
        failures.get(place) or _told(score, task, name)
        for place, (score, task) in enumerate(zip(scores, asked, strict=True))
    ]
    failed = [each for each in told if isinstance(each, WorkerError)]
    if len(failed) == len(told):
        raise failed[0]
    return told


def score_of(task: RewardTask) -> float:
    """The score in a finished reward task; a verdict without a score is 1 or 0.

    Raises:
        WorkerError: it has none, or one that is no finite number.
    """
    role = getattr(task.worker_tag, "value", task.worker_tag) or "reward"
    return _number(task.verdict if task.reward is None else task.reward, f"the role {role!r}")


def _number(score: SupportsFloat | None, name: str) -> float:
    try:
        number = math.nan if score is None else float(score)
    except (TypeError, ValueError, OverflowError):  # whatever a reward of a user's own gave
        number = math.nan
    if not math.isfinite(number):
        raise WorkerError(
            f"the reward of {name} gave {sentence(repr(score), 80)} for a score: it must give a finite number"
        )
    return number


def _told(score: SupportsFloat | None, task: object, name: str) -> Judgement | WorkerError:
    try:
        return _judgement(_number(score, name), task)
    except WorkerError as error:
        return error


def _judgement(score: float, task: object) -> Judgement:
    if not isinstance(task, RewardTask):
        return Judgement(score)
    said = task.custom_output_params or {}  # where workers of before there were fields for it say it
    verdict, feedback = said.get("passing"), said.get("feedback")
    if task.verdict is not None or not isinstance(verdict, bool):
        verdict = task.verdict
    feedback = task.feedback or feedback
    return Judgement(score, verdict, str(feedback) if feedback else None, task.step_rewards)
