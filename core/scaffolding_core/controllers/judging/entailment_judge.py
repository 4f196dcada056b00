"""EntailmentJudge: a model tells whether two answers mean the same."""

from __future__ import annotations

from collections.abc import Hashable

from scaffolding_core.controller import Controller, Race, Steps
from scaffolding_core.controllers.judging.judge import Judge
from scaffolding_core.controllers.judging.verdict_lines import WordForm
from scaffolding_core.tasks import RewardTask

__all__ = ["EntailmentJudge"]

QUESTION = "Both answers reply to the prompt. Is all that answer B says true if answer A is?"
CRITERIA = "Whether the answers are right does not matter, nor how they are worded, but only what they say."


class EntailmentJudge(Judge):
    """A model tells whether two answers mean the same: whether each follows from the other.

    Cost: two short chat turns at the same time; the second is cut where the first says no.

    Source: Kuhn et al. 2023, arXiv 2302.09664.

    Args:
        judge: this and all that follow: as for `Judge`.
    """

    question = QUESTION
    examples = (
        ({"answer A": "The sum of 2 and 2 is 4.", "answer B": "4"}, "Verdict: yes"),
        ({"answer A": "4", "answer B": "5"}, "Verdict: no"),
    )
    form = WordForm("yes or no", {"yes": 1.0, "no": 0.0})

    def __init__(
        self,
        judge: Controller | None = None,
        *,
        role: Hashable = "judge",
        criteria: str | None = None,
        longest: int = 20_000,
    ) -> None:
        super().__init__(judge, role=role, criteria=CRITERIA if criteria is None else criteria, longest=longest)

    def same(self, first: RewardTask, second: RewardTask) -> Steps[bool]:
        """Whether two answers to one prompt mean the same.

        Raises:
            WorkerError: the judge failed, or gave no verdict.
        """
        race = Race([self._entails(first, second), self._entails(second, first)])
        while (outcome := (yield race)) is not None:
            if not outcome.value:
                return False  # the other is cut
        return True

    def _entails(self, first: RewardTask, second: RewardTask) -> Steps[bool]:
        verdict = yield from self.verdict(first, {"answer A": first, "answer B": second})
        return verdict.expected > 0.5
