"""ScorePairJudge: a model scores two answers side by side."""

from __future__ import annotations

from collections.abc import Hashable

from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.judge import Judge
from scaffolding_core.controllers.judging.verdict_lines import ScorePairForm
from scaffolding_core.controllers.parts import checked_whole
from scaffolding_core.tasks import RewardTask

__all__ = ["ScorePairJudge"]


class ScorePairJudge(Judge):
    """A model scores two answers side by side, each from 1 to `scale`, in one chat turn.

    Each score is the mean of all scores by the log probabilities of their tokens, where the worker tells them,
    else the number said.

    Source: Kwok et al. 2026, arXiv 2607.05391.

    Args:
        judge: this and all that follow: as for `Judge`.
        scale: the highest score.
    """

    def __init__(
        self,
        judge: Controller | None = None,
        *,
        scale: int = 20,
        role: Hashable = "judge",
        criteria: str | None = None,
        reasons: bool | None = None,
        longest: int = 20_000,
    ) -> None:
        super().__init__(judge, role=role, criteria=criteria, reasons=reasons, longest=longest)
        most = checked_whole("scale", scale, 2)
        self.form = ScorePairForm(most)
        self.question = f"How well does each answer meet the criteria, from 1 (not at all) to {most} (entirely)?"
        self.examples = (
            ({"answer A": "4", "answer B": "5"}, f"Scores: A {most}, B 1"),
            ({"answer A": "5", "answer B": "4"}, f"Scores: A 1, B {most}"),
        )

    def preference(self, first: RewardTask, second: RewardTask) -> Steps[float]:
        """How much the first is preferred, 0 to 1, where it is shown first.

        Raises:
            WorkerError: the judge failed, or gave no scores.
        """
        verdict = yield from self.verdict(first, {"answer A": first, "answer B": second})
        return verdict.expected
