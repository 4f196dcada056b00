"""GenSelect: a model reasons over several answers at once, and names the best."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.answers import AnswersLike
from scaffolding_core.controller import Controller
from scaffolding_core.controllers.judging.choice_judge import ChoiceJudge
from scaffolding_core.controllers.parts import checked_whole
from scaffolding_core.controllers.selecting.choosing import ChoosingController

__all__ = ["GenSelectController"]

QUESTION = "Compare the answers with one another. Which of them meets the criteria best?"


class GenSelectController(ChoosingController):
    """Samples N answers, and lets a judge reason over them and name the best, up to `window` of them at once.

    More than that meet in groups, all at the same time, and those named meet again. Answers of the same text are
    shown once, without thoughts. Of a group where the judge fails, or names none, the answer goes on that most
    samples give; where it never names any, the vote selects, which the output's `data["by"]` tells. A sample
    without an answer of the given kind is not shown, unless none has one. Where at least half of the samples
    decline to answer, the first of them is the result, and nobody is asked. When time is up, the answer that was
    named last counts.

    Cost: N generations at the same time, then one longer chat turn of the judge for each group, about
    N / (window - 1) in all, in log(N) / log(window) rounds.

    Source: Toshniwal et al. 2025, arXiv 2507.17797; here whole answers stand for their summaries.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        default_sample_num: N, unless a request says `sample_num`.
        window: answers that the judge is shown at once, 2 or more.
        judge_controller: the method that answers as the judge; None for one greedy chat turn of the role `judge`,
            of at most 1,024 tokens. A model that thinks first needs more.
        criteria: what makes an answer good; None for being right, complete, clear and to the point.
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
        window: int = 8,
        judge_controller: Controller | None = None,
        criteria: str | None = None,
        longest: int = 20_000,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        super().__init__(generation_controller, default_sample_num, answers=answers, min_samples=min_samples)
        self.window = checked_whole("window", window, 2)
        self.judge = ChoiceJudge(QUESTION, judge_controller, criteria=criteria, reasons=True, longest=longest)
