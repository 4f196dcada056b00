"""Beam search: the best beginnings of each step go on."""

from __future__ import annotations

from typing import ClassVar, Unpack

from scaffolding_core.controller import Controller
from scaffolding_core.controllers.searching.step_method import StepMethod, StepOptions
from scaffolding_core.search import Beam

__all__ = ["BeamSearchController"]


class BeamSearchController(StepMethod):
    """Writes N answers step by step: after each step the best N / width go on, each with `width` next steps.

    With `lookahead`, a step is scored by where it leads: so many further steps are written greedily behind it,
    scored with it, and dropped.

    Cost: at most N steps and as many scores at a time, and `max_steps` times; an answer that has ended costs no
    more. The tokens of N answers, and with a lookahead of k those of k further steps for each. All steps of a
    level run at the same time; the next level waits for the slowest.

    Source: Snell et al. 2024, arXiv 2408.03314. Answers that have ended compete with those that go on for a place
    in the beam, where the paper has its beams run to the end.

    Args:
        generation_controller: this and all that is not below: as for `StepMethod`.
        process_reward_controller: scores partial answers.
        default_sample_num: N.
        width: next steps from one answer; 1 only filters none.
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

    def new_search(self, n: int, seed: int) -> Beam:
        """A search that has not begun."""
        return Beam(n, self.width, max_depth=self.max_steps)
