"""Particle filtering: answers live on, step by step, in proportion to what they are worth."""

from __future__ import annotations

from typing import ClassVar, Literal, Unpack

from scaffolding_core.controller import Controller
from scaffolding_core.controllers.searching.step_method import StepMethod, StepOptions
from scaffolding_core.search import Particles

__all__ = ["ParticleFilteringController"]


class ParticleFilteringController(StepMethod):
    """Writes N answers step by step, and after each step draws which of them live on, by their scores.

    Unlike a beam it never rules an answer out that looks worse for a moment, so a reward that errs misleads it
    less. What is drawn depends on the task's seed.

    Cost: at most N steps and as many scores at a time, and `max_steps` times; the tokens of N answers. The next
    step waits for the slowest.

    Source: Puri et al. 2025, arXiv 2502.01618.

    Args:
        generation_controller: this and all that is not below: as for `StepMethod`.
        process_reward_controller: scores partial answers, from 0 to 1 where odds are taken.
        default_sample_num: N.
        weights: what a score weighs: its `odds`, or its `softmax`.
        temperature: of the weights; more keeps more of the unlikely.
        resampling: `systematic` draws evenly, `multinomial` each by itself.
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
        weights: Literal["odds", "softmax"] = "odds",
        temperature: float = 1.0,
        resampling: Literal["systematic", "multinomial"] = "systematic",
        **options: Unpack[StepOptions],
    ) -> None:
        self.weights: Literal["odds", "softmax"] = weights
        self.temperature = temperature
        self.resampling: Literal["systematic", "multinomial"] = resampling
        super().__init__(generation_controller, process_reward_controller, default_sample_num, **options)

    def new_search(self, n: int, seed: int) -> Particles:
        """A search that has not begun."""
        return Particles(
            n,
            weights=self.weights,
            temperature=self.temperature,
            resampling=self.resampling,
            seed=seed,
            max_depth=self.max_steps,
        )
