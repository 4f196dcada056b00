"""ChoiceJudge: a model names one of several answers by its number."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.judge import Judge
from scaffolding_core.controllers.judging.verdict_lines import ChoiceForm
from scaffolding_core.tasks import RewardTask

__all__ = ["ChoiceJudge"]


class ChoiceJudge(Judge):
    """A model is shown numbered answers to one prompt, and names one of them.

    Cost: one chat turn with the prompt and all the answers; one more for each retry.

    Args:
        question: what it is asked.
        judge: this and all that follow: as for `Judge`.
    """

    examples = (
        ({"answer 1": "5", "answer 2": "4"}, "Choice: 2"),
        ({"answer 1": "4", "answer 2": "5"}, "Choice: 1"),
    )

    def __init__(
        self,
        question: str,
        judge: Controller | None = None,
        *,
        role: Hashable = "judge",
        criteria: str | None = None,
        reasons: bool = False,
        longest: int = 20_000,
    ) -> None:
        super().__init__(judge, role=role, criteria=criteria, reasons=reasons, logprobs=False, longest=longest)
        self.question = question

    def choice(self, answers: Sequence[RewardTask]) -> Steps[int]:
        """The place of the answer that it names.

        Raises:
            WorkerError: it failed, or named none.
        """
        judge = self.clone()
        judge.form = ChoiceForm(len(answers))
        named = {f"answer {number}": answer for number, answer in enumerate(answers, 1)}
        verdict = yield from judge.verdict(answers[0], named)
        return int(verdict.said) - 1
