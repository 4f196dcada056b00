"""ScoreJudge: a model scores an answer on a scale."""

from __future__ import annotations

from collections.abc import Hashable

from scaffolding_core.controller import Controller
from scaffolding_core.controllers.judging.answer_judge import AnswerJudge
from scaffolding_core.controllers.judging.verdict_lines import NumberForm, Verdict
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tasks import RewardTask

__all__ = ["ScoreJudge"]

_MOST = 100


class ScoreJudge(AnswerJudge):
    """A model scores an answer from 1 to `scale`.

    The score is the mean of all scores by the log probabilities of their tokens, where the worker tells them,
    else the number said. The reward goes from 0 for a score of 1 to 1 for `scale`; the score itself stands in the
    task's `custom_output_params`, as `score` beside `scale`.

    Cost: one chat turn of about 200 tokens beside prompt and answer for each answer, all at the same time; one
    more for each retry, of about 600.

    Source: Liu et al. 2023, arXiv 2303.16634 (G-Eval).

    Args:
        judge: this and all that follow: as for `Judge`.
        scale: the highest score, 2 to 100.

    Raises:
        InvalidRequestError: a number out of its range, or something that is no controller.
    """

    def __init__(
        self,
        judge: Controller | None = None,
        *,
        scale: int = 10,
        role: Hashable = "judge",
        criteria: str | None = None,
        reference: str | None = None,
        reasons: bool | None = None,
        max_tokens: int | None = None,
        logprobs: bool = True,
        thoughts: bool = False,
        longest: int = 20_000,
        retries: int = 1,
    ) -> None:
        super().__init__(
            judge,
            role=role,
            criteria=criteria,
            reference=reference,
            reasons=reasons,
            max_tokens=max_tokens,
            logprobs=logprobs,
            thoughts=thoughts,
            longest=longest,
            retries=retries,
        )
        if not isinstance(scale, int) or isinstance(scale, bool) or not 2 <= scale <= _MOST:
            raise InvalidRequestError(f"scale must be a whole number from 2 to {_MOST}, got {scale!r}")
        self.scale = scale
        self.form = NumberForm(scale)
        self.question = f"How well does the answer meet the criteria, from 1 (not at all) to {scale} (entirely)?"
        self.examples = (({"answer": "5"}, "Score: 1"), ({"answer": "4"}, f"Score: {scale}"))

    def fill(self, task: RewardTask, verdict: Verdict) -> None:
        """Put what the judge said into a reward task."""
        task.reward = (verdict.expected - 1) / (self.scale - 1)
        task.feedback = verdict.words
        task.custom_output_params = {"score": verdict.expected, "scale": self.scale}
