"""Particle Gibbs: particle filtering again and again, around an answer of before."""

from __future__ import annotations

from typing import ClassVar, Literal, Unpack

from scaffolding_core.controller import Controller
from scaffolding_core.controllers.searching.step_method import StepMethod, StepOptions
from scaffolding_core.search import ParticleGibbs

__all__ = ["ParticleGibbsController"]


class ParticleGibbsController(StepMethod):
    """Particle filtering in sweeps, each around an answer that is drawn of those before; all of them are compared.

    Cost: N steps and as many scores at a time in the first sweep, N - 1 in the others; the tokens of about N
    answers for each sweep, one sweep after another.

    Source: Puri et al. 2025, arXiv 2502.01618, section on particle Gibbs.

    Args:
        generation_controller: this and all that is not below: as for `StepMethod`.
        process_reward_controller: scores partial answers, from 0 to 1 where odds are taken.
        default_sample_num: N, at least 2.
        sweeps: how often all begin.
        weights: as for `ParticleFilteringController`.
        temperature: of the weights.
        options: the rest.

    Raises:
        InvalidRequestError: a number out of its range, an unknown name, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        process_reward_controller: Controller,
        default_sample_num: int = 4,
        *,
        sweeps: int = 3,
        weights: Literal["odds", "softmax"] = "odds",
        temperature: float = 1.0,
        **options: Unpack[StepOptions],
    ) -> None:
        self.sweeps = sweeps
        self.weights: Literal["odds", "softmax"] = weights
        self.temperature = temperature
        super().__init__(generation_controller, process_reward_controller, default_sample_num, **options)

    def new_search(self, n: int, seed: int) -> ParticleGibbs:
        """A search that has not begun."""
        return ParticleGibbs(
            n,
            sweeps=self.sweeps,
            weights=self.weights,
            temperature=self.temperature,
            seed=seed,
            max_depth=self.max_steps,
        )
