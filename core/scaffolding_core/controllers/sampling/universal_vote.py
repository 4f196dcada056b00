"""Universal self-consistency: a model is shown all samples, and names the most consistent one."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.answers import AnswersLike
from scaffolding_core.controller import Controller
from scaffolding_core.controllers.judging.choice_judge import ChoiceJudge
from scaffolding_core.controllers.selecting.choosing import ChoosingController

__all__ = ["UniversalVoteController"]

QUESTION = "Which answer is the most consistent with all the others?"
CRITERIA = "It says what most of the answers say, and leaves out what only few of them say."


class UniversalVoteController(ChoosingController):
    """Samples N answers, shows the judge all of them, and takes the one that it names as the most consistent.

    For free text, which no rule can count. Every sample is shown, the same text as often as it was given, without
    thoughts. Where the judge fails, or names none, the vote by the kind of answer selects: the answer given most
    often, the earliest of equals; the output's `data["by"]` tells who did. A sample without an answer of the given
    kind is not shown, unless none has one. Where at least half of the samples decline to answer, the first of them
    is the result, and nobody is asked; nor where all say the same.

    Cost: N generations at the same time, then one short chat turn of the judge over all of them.

    Source: Chen et al. 2023, arXiv 2311.17311.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        default_sample_num: N, unless a request says `sample_num`.
        judge_controller: the method that answers as the judge; None for one greedy chat turn of the role `judge`.
        criteria: what makes an answer consistent; None for the method's own.
        longest: characters of the prompt, and of each answer, that the judge is shown.
        answers: the kind of answer that the vote without the judge counts; see `Answers`.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number below 1, an unknown kind, or something that is no controller.
    """

    stateless: ClassVar[bool] = True
    shows_each: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 8,
        *,
        judge_controller: Controller | None = None,
        criteria: str | None = None,
        longest: int = 20_000,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        super().__init__(generation_controller, default_sample_num, answers=answers, min_samples=min_samples)
        self.judge = ChoiceJudge(
            QUESTION, judge_controller, criteria=CRITERIA if criteria is None else criteria, longest=longest
        )
