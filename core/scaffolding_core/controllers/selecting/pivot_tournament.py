"""Pivot tournament: a judge compares samples in a ring, and then all with the best of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

from scaffolding_core.answers import AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.score_pair_judge import ScorePairJudge
from scaffolding_core.controllers.parts import checked_whole
from scaffolding_core.controllers.selecting.pivots import Pivots
from scaffolding_core.controllers.selecting.selection import SelectionController, Standing
from scaffolding_core.tasks import RewardTask

__all__ = ["PivotTournamentController"]


class PivotTournamentController(SelectionController):
    """Samples N answers, and takes the one with the highest mean preference in about N k comparisons by a judge.

    In a ring each answer meets its two neighbours, once in each position, so that the judge's bias for a position
    cancels. The k best of it, the pivots, then meet all others and one another. A comparison is one chat turn that
    scores both answers; the logistic function of the scores' difference is how much the first is preferred. Ties
    go to the earliest. The score of an answer is its mean preference.

    A comparison that fails counts for nobody. Where all fail, the vote by the kind of answer selects, which the
    output's `data["by"]` tells. Answers of the same text are one. A sample without an answer of the given kind
    takes no part, unless none has one. Where at least half of the samples decline to answer, the first of them is
    the result, and nobody is asked. When time is up, the highest mean preference so far counts.

    Cost: N generations at the same time, then N comparisons at the same time, and k (N - k) + k (k - 1) / 2 more;
    two for two answers.

    Source: Kwok et al. 2026, arXiv 2607.05391. Here the ring is shuffled by the request's seed, and without one is
    in the order of the samples; two that have met in the ring meet the other way round after it, where the
    authors' program asks the same once more; and the judge is asked once, by all criteria together.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        default_sample_num: N, unless a request says `sample_num`.
        pivots: k.
        scale: the highest score that the judge may give.
        judge_controller: the method that answers as the judge; None for one greedy chat turn of the role `judge`.
        criteria: what makes an answer good; None for being right, complete, clear and to the point.
        reasons: whether the judge says why before its scores, which costs more and judges better.
        longest: characters of the prompt, and of each answer, that the judge is shown.
        answers: the kind of answer, such as `"number"`; see `Answers`.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number below its least, an unknown kind, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 8,
        *,
        pivots: int = 2,
        scale: int = 20,
        judge_controller: Controller | None = None,
        criteria: str | None = None,
        reasons: bool = False,
        longest: int = 20_000,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        super().__init__(generation_controller, default_sample_num, answers=answers, min_samples=min_samples)
        self.pivots = checked_whole("pivots", pivots, 1)
        self.judge = ScorePairJudge(
            judge_controller, scale=scale, criteria=criteria, reasons=reasons, longest=longest
        )

    def select(self, contenders: Sequence[RewardTask], votes: Sequence[int], standing: Standing) -> Steps[None]:
        """Compare in the ring, and then with the pivots."""
        ring = list(range(len(contenders)))
        if standing.seed is not None:
            random.Random(standing.seed).shuffle(ring)
        tournament = Pivots(ring, self.pivots)
        for pairs in (tournament.ring, tournament.rest):
            yield from self._compare(pairs(), contenders, tournament, standing)

    def _compare(
        self,
        pairs: Sequence[tuple[int, int]],
        contenders: Sequence[RewardTask],
        tournament: Pivots,
        standing: Standing,
    ) -> Steps[None]:
        def take(index: int, preference: float) -> None:
            tournament.tell(*pairs[index], preference)
            standing.scores = tournament.means()

        questions = [self.judge.preference(contenders[first], contenders[second]) for first, second in pairs]
        yield from standing.ask(questions, take)
