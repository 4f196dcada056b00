"""Knockout: samples meet two by two before a judge, until one is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from scaffolding_core.answers import AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.knockout import Knockout
from scaffolding_core.controllers.judging.pairwise_judge import PairwiseJudge
from scaffolding_core.controllers.selecting.selection import SelectionController, Standing
from scaffolding_core.errors import BudgetExceededError
from scaffolding_core.tasks import RewardTask

__all__ = ["KnockoutController"]


class KnockoutController(SelectionController):
    """Samples N answers, and lets a judge compare them two by two, round by round, until one is left.

    Each two are compared in both orders, which cancels the judge's bias for a place; the earlier of equals goes
    on. After a comparison that fails both go on, to meet others; who fails twice is out. Answers of the same text
    are one. Scores are ranks: 1 for the winner, 0 for the last. Where nobody is left, or the judge never gives a
    verdict, the vote by the kind of answer selects, which the output's `data["by"]` tells. A sample without an
    answer of the given kind takes no part, unless none has one. Where at least half of the samples decline to
    answer, the first of them is the result, and nobody is asked. When time is up, the highest rank so far counts.

    Cost: N generations at the same time, then N - 1 comparisons of two short chat turns each, in about log2(N)
    rounds.

    Source: Liu et al. 2025, arXiv 2501.13007, with a model that is asked for the judge; both orders: Zheng et al.
    2023, arXiv 2306.05685.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        default_sample_num: N, unless a request says `sample_num`.
        judge_controller: the method that answers as the judge; None for one greedy chat turn of the role `judge`.
        criteria: what makes an answer good; None for being right, complete, clear and to the point.
        longest: characters of the prompt, and of each answer, that the judge is shown.
        answers: the kind of answer, such as `"number"`; see `Answers`.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number below 1, an unknown kind, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 4,
        *,
        judge_controller: Controller | None = None,
        criteria: str | None = None,
        longest: int = 20_000,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        super().__init__(generation_controller, default_sample_num, answers=answers, min_samples=min_samples)
        self.judge = PairwiseJudge(judge_controller, criteria=criteria, longest=longest)

    def select(self, contenders: Sequence[RewardTask], votes: Sequence[int], standing: Standing) -> Steps[None]:
        """Compare two by two, until one is left; all comparisons of a round at the same time."""
        knockout = Knockout(len(contenders))
        while pairs := knockout.pairs():
            preferences: dict[int, float] = {}
            questions = [self.judge.preference(contenders[first], contenders[second]) for first, second in pairs]
            try:
                yield from standing.ask(questions, preferences.__setitem__)
            except BudgetExceededError:
                knockout.end_round([preferences.get(index, 0.5) for index in range(len(pairs))])
                standing.scores = knockout.scores() if standing.judged else {}
                raise
            knockout.end_round([preferences.get(index) for index in range(len(pairs))])
        standing.scores = knockout.scores() if knockout.left and standing.judged else {}
