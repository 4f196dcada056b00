"""Critique and revise: another says what is wrong with an answer, and the model answers again."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.answers import AnswersLike
from scaffolding_core.controller import Controller
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.controllers.refining.self_refine import FEEDBACK, REFINE, STOP, SelfRefineController

__all__ = ["CritiqueReviseController"]


class CritiqueReviseController(SelfRefineController):
    """Refines as `SelfRefineController` does, with the feedback of another model: the role `judge`.

    A second model sees mistakes that the first does not see in its own answers. Where nobody is given for the
    role, the model plays it.

    Cost: at most 1 + k generations and k critiques, one after another.

    Source: Saunders et al. 2022, arXiv 2206.05802 (critiques by a model), in the rounds of Madaan et al. 2023,
    arXiv 2303.17651.

    Args:
        generation_controller: the method that answers.
        judge_controller: the method that criticises; it is shown the chat and the answer.
        max_rounds: this and all that follow: as for `SelfRefineController`.

    Raises:
        InvalidRequestError: as for `SelfRefineController`.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        judge_controller: Controller,
        max_rounds: int = 3,
        *,
        feedback: str = FEEDBACK,
        refine: str = REFINE,
        stop: str = STOP,
        answers: AnswersLike | None = None,
    ) -> None:
        super().__init__(
            generation_controller, max_rounds, feedback=feedback, refine=refine, stop=stop, answers=answers
        )
        self.judge_controller = checked_part(judge_controller, "judge_controller", "process")

    @property
    def _reviewer(self) -> Controller | None:
        return self.judge_controller
