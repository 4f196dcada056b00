"""PassJudge: a model passes or fails an answer."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.controllers.judging.answer_judge import AnswerJudge
from scaffolding_core.controllers.judging.verdict_lines import Verdict, WordForm
from scaffolding_core.tasks import RewardTask

__all__ = ["PassJudge"]

_PASSES, _FAILS = ("yes", "pass", "passed", "passes", "true"), ("no", "fail", "failed", "fails", "false")


class PassJudge(AnswerJudge):
    """A model passes or fails an answer, and says why.

    The task's `verdict` is what the judge said, its `feedback` the judge's words, and its reward the probability
    of a pass by the log probabilities of the verdict's token, where the worker tells them, else 1 or 0.

    Cost: one chat turn of about 200 tokens beside prompt and answer for each answer, and as many for the reasons,
    all at the same time; one more for each retry, of about 600.
    """

    question = "Does the answer meet the criteria?"
    says_why: ClassVar[bool] = True
    examples = (({"answer": "5"}, "Verdict: no"), ({"answer": "4"}, "Verdict: yes"))
    form = WordForm("yes or no", {**dict.fromkeys(_PASSES, 1.0), **dict.fromkeys(_FAILS, 0.0)})

    def fill(self, task: RewardTask, verdict: Verdict) -> None:
        """Put what the judge said into a reward task."""
        task.reward, task.verdict, task.feedback = verdict.expected, verdict.said == 1.0, verdict.words
