"""Diverse verifier tree search: several answers, each led by its best steps, apart from each other."""

from __future__ import annotations

from typing import ClassVar, Unpack

from scaffolding_core.controller import Controller
from scaffolding_core.controllers.searching.step_method import StepMethod, StepOptions
from scaffolding_core.search import Dvts

__all__ = ["DvtsController"]


class DvtsController(StepMethod):
    """Writes N / width answers step by step, each by itself: of `width` next steps the best goes on.

    Answers stay as different as they began, where those of a beam soon come from one beginning; so it gains more
    from large N, and from a vote at the end.

    Cost: at most N steps and as many scores at a time, and `max_steps` times; the tokens of N answers. No answer
    waits for another.

    Source: Beeching et al. 2024, "Scaling test-time compute with open models" (Hugging Face, search-and-learn).

    Args:
        generation_controller: this and all that is not below: as for `StepMethod`.
        process_reward_controller: scores partial answers.
        default_sample_num: N.
        width: next steps of which the best goes on.
        options: the rest.

    Raises:
        InvalidRequestError: a number out of its range, an unknown name, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        process_reward_controller: Controller,
        default_sample_num: int = 8,
        *,
        width: int = 4,
        **options: Unpack[StepOptions],
    ) -> None:
        self.width = width
        super().__init__(generation_controller, process_reward_controller, default_sample_num, **options)

    def new_search(self, n: int, seed: int) -> Dvts:
        """A search that has not begun."""
        return Dvts(n, self.width, max_depth=self.max_steps)
