"""Weighted vote: the answer whose samples have the highest rewards together."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.controllers.selecting.best_of_n import BestOfNController
from scaffolding_core.controllers.votes import counted, mark_late, told, wording
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["WeightedVoteController"]


class WeightedVoteController(BestOfNController):
    """Samples and scores as `BestOfNController` does, and takes the answer whose samples' rewards sum to the most.

    Of the samples that gave it, the one with the highest reward is the result; ties go to the earliest. A sample
    without an answer, or without a score, has no vote; where none has, the one with the highest reward wins. The
    output's `data["weights"]` tells the sums, and its `agreement` the winner's share of those above 0.

    Give it a reward from 0 to 1, such as a process reward's: negative ones count against their answer.

    Cost: N generations and N rewards, all samples at the same time; the same answers are scored once.

    Source: Li et al. 2022, arXiv 2206.02336.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        reward_controller: scores a finished sample; see `BestOfNController`.
        default_sample_num: N, unless a request says `sample_num`.
        answers: the kind of answer, such as `"number"`; see `Answers`.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number of samples below 1, an unknown kind, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        reward_controller: Controller,
        default_sample_num: int = 8,
        *,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        super().__init__(generation_controller, reward_controller, default_sample_num, min_samples=min_samples)
        self.answers = Answers.of(answers)

    def process(  # type: ignore[override]  # nobody selects but the vote
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        reward_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Sample, score, vote, and give the tasks the results of the chosen sample.

        Raises:
            InsufficientSamplesError: fewer than `min_samples` could be sampled and scored.
            BudgetExceededError: budget or deadline ran out before any sample was there.
            WorkerError: a reward that compares samples failed.
        """
        n = checked_sample_num(sample_num, self.default_sample_num)
        samples = yield from self._scored_samples(tasks, n, generation_kwargs or {}, reward_kwargs or {})
        compared = Answers.of(self.answers if answers is None else answers)
        there = set(samples.candidates)
        scored = [candidate for candidate in samples.in_order() if candidate.score is not None]
        votes = yield from counted(scored, compared, samples)
        votes.sort(key=_weight, reverse=True)
        chosen = _best(votes[0] if votes else scored, samples)
        output = yield from samples.concluded(tasks, chosen, type(self).__name__)
        mark_late(output.candidates, there)
        output.votes = told(votes)
        output.data = {"weights": {wording(voters[0]): _weight(voters) for voters in votes}}
        output.agreement = _share_of_first([_weight(voters) for voters in votes])
        return output


def _weight(voters: Sequence[Candidate]) -> float:
    """The sum of the rewards, as far as a number goes: some rewards are the lowest that there is."""
    most = sys.float_info.max
    return max(-most, min(most, sum(voter.score or 0.0 for voter in voters)))


def _share_of_first(weights: Sequence[float]) -> float:
    """The share that the first, the greatest, has of those above 0."""
    if not weights or weights[0] <= 0:
        return 0.0
    return 1 / sum(weight / weights[0] for weight in weights if weight > 0)


def _best(candidates: Sequence[Candidate], samples: Samples) -> Candidate:
    """The one with the highest reward, the earliest of equals; with no score at all, the earliest sample."""
    if not candidates:
        return samples.succeeded()[0]
    return min(candidates, key=lambda candidate: (-(candidate.score or 0.0), candidate.index))
