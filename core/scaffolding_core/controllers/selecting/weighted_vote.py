"""Weighted vote: the answer whose samples weigh the most by their rewards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.parts import checked_share
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.controllers.sampling.poll import poll
from scaffolding_core.controllers.selecting.best_of_n import BestOfNController, score_known, score_left
from scaffolding_core.controllers.votes import by_class, counted, weighted_output
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.voting import PosteriorBallot, Weighing, checked_confidence, resolve_weighing

__all__ = ["WeightedVoteController"]


class WeightedVoteController(BestOfNController):
    """Samples and scores as `BestOfNController` does, and takes the answer that weighs the most by its rewards.

    Of the samples that gave it, the one with the highest reward is the result; ties go to the earliest. A sample
    without an answer, or without a score, has no vote; where none has, the one with the highest reward wins. The
    output's `data["weights"]` tells what each answer weighs, and its `agreement` the winner's share of what weighs
    more than 0.

    Sums are for rewards from 0 to 1, such as a process reward's: negative ones count against their answer. A
    model's own confidence is a reward too, by the names `likelihood` and `self_certainty`.

    Cost: N generations and N rewards, all samples at the same time; the same answers are scored once.

    Source: Li et al. 2022, arXiv 2206.02336, for sums; Kang et al. 2025, arXiv 2502.18581, for Borda's count.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        reward_controller: scores a finished sample; see `BestOfNController`.
        default_sample_num: N, unless a request says `sample_num`.
        answers: the kind of answer, such as `"number"`; see `Answers`.
        weighing: of an answer's samples: the `sum` of their rewards, their `mean`, Borda's count of their ranks
            (`borda`), their `count`; or a `Weighing`, such as `Borda(0.5)`.
        keep: the share of samples that vote, those with the highest rewards; one at least.
        confidence: between 0.5 and 1: the vote ends once an answer is right with that probability, as the rewards
            of its samples have it, each taken for the chance that its sample is right; None counts all samples.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number of samples below 1, an unknown kind or weighing, a share or a confidence that
            is none, a confidence beside a share, or beside a reward that compares samples and has to see them all,
            or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        reward_controller: Controller,
        default_sample_num: int = 8,
        *,
        answers: AnswersLike | None = None,
        weighing: str | Weighing = "sum",
        keep: float = 1.0,
        confidence: float | None = None,
        min_samples: int = 1,
    ) -> None:
        self.confidence = None if confidence is None else checked_confidence(confidence)
        super().__init__(generation_controller, reward_controller, default_sample_num, min_samples=min_samples)
        self.answers = Answers.of(answers)
        self.weighing = resolve_weighing(weighing)
        self.keep = checked_share("keep", keep)
        if self.confidence is not None and self.keep < 1:
            raise InvalidRequestError("keep is a share of all samples: leave it or confidence out")

    def _check_enough(self) -> None:
        if self.compares and self.confidence is not None:
            name = type(self.reward_controller).__name__
            raise InvalidRequestError(f"{name} compares all samples: leave confidence out")

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
        compared = Answers.of(self.answers if answers is None else answers)
        if self.confidence is not None:
            samples, votes = yield from self._until_sure(
                tasks, n, generation_kwargs or {}, reward_kwargs or {}, compared, self.confidence
            )
            there = {voter.index for voters in votes for voter in voters}
        else:
            samples = yield from self._scored_samples(tasks, n, generation_kwargs or {}, reward_kwargs or {})
            there = set(samples.candidates)
            scored = [candidate for candidate in samples.in_order() if candidate.score is not None]
            votes = yield from counted(_kept(scored, self.keep), compared, samples)
        return (yield from weighted_output(samples, tasks, votes, self.weighing, there, type(self).__name__))

    def _until_sure(
        self,
        tasks: Sequence[GenerationTask],
        n: int,
        generation_kwargs: Mapping[str, object],
        reward_kwargs: Mapping[str, object],
        answers: Answers,
        confidence: float,
    ) -> Steps[tuple[Samples, list[list[Candidate]]]]:
        """Sample and score until an answer is probably right; the samples, and the votes of those that counted."""
        samples, once = self._scoring(tasks, n, generation_kwargs, reward_kwargs)
        ballot = PosteriorBallot(n, confidence, lambda index: score_known(samples, index, once))
        extractor, classes = extractor_for(samples.asked, answers), answers.equivalence.classes()
        yield from poll(samples, ballot, classes, extractor, trusting=False)
        yield from score_left(samples, once)
        if samples.stopped == "complete":
            ballot.count_all()
        return samples, by_class(samples.candidates, ballot.votes())


def _kept(scored: Sequence[Candidate], share: float) -> list[Candidate]:
    """The share of samples with the highest rewards, by index; of equals the earliest."""
    best = sorted(scored, key=lambda candidate: (-(candidate.score or 0.0), candidate.index))
    return sorted(best[: max(1, math.ceil(share * len(best) - 1e-9))], key=lambda candidate: candidate.index)
