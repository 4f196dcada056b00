"""RubricJudge: a model scores an answer by several criteria."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Controller, ParallelProcess, Steps
from scaffolding_core.controllers.judging.score_judge import ScoreJudge
from scaffolding_core.controllers.native_reward import NativeRewardController
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import Usage
from scaffolding_core.tasks import RewardTask, Task

__all__ = ["Criterion", "CriterionLike", "RubricJudge"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """What an answer is judged by.

    Args:
        text: what makes an answer good.
        name: what it is called; None for its text.
        weight: in the mean, above 0.
        scale: the highest score; None for that of the judge.

    Raises:
        InvalidRequestError: no text, or a weight that is none.
    """

    text: str
    name: str | None = None
    weight: float = 1.0
    scale: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not self.text.strip():
            raise InvalidRequestError(f"a criterion needs a text, got {self.text!r}")
        number = isinstance(self.weight, int | float) and not isinstance(self.weight, bool)
        if not number or not math.isfinite(self.weight) or self.weight <= 0:
            raise InvalidRequestError(f"the weight of a criterion must be a number above 0, got {self.weight!r}")

    @classmethod
    def of(cls, said: CriterionLike) -> Criterion:
        """A criterion, however a user says it.

        Raises:
            InvalidRequestError: it is none.
        """
        if isinstance(said, Criterion):
            return said
        if isinstance(said, str):
            return cls(said)
        known = [field.name for field in fields(cls)]
        if not isinstance(said, Mapping) or not {"text"} <= said.keys() <= {*known}:
            raise InvalidRequestError(
                f"a criterion must be a text, or a mapping of {', '.join(known)}, got {said!r}"
            )
        return cls(**said)


# Any: the constructor checks the values.
CriterionLike: TypeAlias = "Criterion | str | Mapping[str, Any]"


class RubricJudge(NativeRewardController):
    """A model scores an answer by several criteria, each by itself, and the reward is their weighted mean.

    Each is judged as by a `ScoreJudge`, so one does not colour the next. The score of each, from 0 to 1, stands by
    its name in the task's `custom_output_params`, and with the judge's words in the `feedback`. A criterion
    that fails to be judged fails the judgement.

    Cost: that of a `ScoreJudge` for each criterion, all at the same time.

    Args:
        criteria: each a text, a `Criterion`, or a mapping of its fields.
        judge: this and all that follow: as for `ScoreJudge`.

    Raises:
        InvalidRequestError: no criteria, two of one name, a number out of its range, or something that is no
            controller.
    """

    def __init__(
        self,
        criteria: Sequence[CriterionLike],
        judge: Controller | None = None,
        *,
        scale: int = 10,
        role: Hashable = "judge",
        reference: str | None = None,
        reasons: bool | None = None,
        max_tokens: int | None = None,
        logprobs: bool = True,
        thoughts: bool = False,
        longest: int = 20_000,
        retries: int = 1,
    ) -> None:
        super().__init__()
        if isinstance(criteria, str | Mapping) or not isinstance(criteria, Sequence) or not criteria:
            raise InvalidRequestError(f"criteria must be a list of at least one criterion, got {criteria!r}")
        each = [Criterion.of(said) for said in criteria]
        self.weights = {criterion.name or criterion.text: criterion.weight for criterion in each}
        if len(self.weights) < len(each):
            raise InvalidRequestError(f"criteria must have names of their own, got {list(criteria)!r}")
        self.judges = [
            ScoreJudge(
                judge,
                scale=scale if criterion.scale is None else criterion.scale,
                role=role,
                criteria=criterion.text,
                reference=reference,
                reasons=reasons,
                max_tokens=max_tokens,
                logprobs=logprobs,
                thoughts=thoughts,
                longest=longest,
                retries=retries,
            )
            for criterion in each
        ]

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """The role that judges."""
        return self.judges[0].needs

    def process(self, tasks: Sequence[Task], reference: str | None = None) -> Steps[list[float]]:
        """Judge the answers of tasks, all at the same time: finished generations, or reward tasks made by hand.

        Args:
            tasks: to judge.
            reference: in place of the one that the judge was made with.

        Raises:
            WorkerError: the judge failed, or gave no verdict on a criterion.
            BudgetExceededError: budget or deadline ran out before all were judged.
        """
        self.rewards = [self._reward_task(task) for task in tasks]
        asked: list[list[Task]] = [[task.copy() for task in self.rewards] for _ in self.judges]
        options = [{"reference": reference}] * len(self.judges)
        yield ParallelProcess([judge.clone() for judge in self.judges], asked, options)
        for task, by_criterion in zip(self.rewards, zip(*asked, strict=True), strict=True):
            self._combine(task, by_criterion)
        self.scores = [task.reward or 0.0 for task in self.rewards]
        return self.scores

    def _combine(self, task: RewardTask, by_criterion: Sequence[Task]) -> None:
        scores: dict[str, float] = {}
        words, task.usage = [], Usage()
        for name, judged in zip(self.weights, by_criterion, strict=True):
            assert isinstance(judged, RewardTask)
            assert judged.reward is not None
            scores[name] = judged.reward
            words.append(f"{name}: {judged.reward:.2f}" + (f". {judged.feedback}" if judged.feedback else ""))
            task.usage.add(judged.usage or Usage())
        task.reward = sum(scores[name] * weight for name, weight in self.weights.items()) / sum(
            self.weights.values()
        )
        task.feedback = "\n".join(words)
        task.custom_output_params = dict(scores)
