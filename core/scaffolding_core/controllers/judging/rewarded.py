"""RewardedController: what methods have in common that score answers by a reward."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import ClassVar

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Controller
from scaffolding_core.controllers.judging.own_confidence import asking_for_logprobs, logprobs_of, reads_logprobs
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tasks import GenerationTask

__all__ = ["RewardedController"]


class RewardedController(Controller):
    """A method that generates, and scores what it gets by a reward, or by none.

    Attributes:
        judged_alone: what a reward scores by itself, such as "a step"; None where it may compare samples.
        generation_controller: the method that generates.
        reward_controller: scores answers; one that reads log probabilities gets them.
    """

    judged_alone: ClassVar[str | None] = None
    generation_controller: Controller
    reward_controller: Controller | None

    @property
    def rewarder(self) -> Controller | None:
        """What scores, under whatever name the method has it."""
        return self.reward_controller

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """Log probabilities of whoever generates, where the reward reads them."""
        return logprobs_of(self.generation_controller) if reads_logprobs(self.rewarder) else {}

    @property
    def compares(self) -> bool:
        """Whether the reward has to see all samples together."""
        return bool(getattr(self.rewarder, "compares_samples", False))

    def asking(self, task: GenerationTask) -> GenerationTask:
        """A task whose answer tells what the reward reads of it; the same where it reads nothing more."""
        return asking_for_logprobs(self.rewarder, task)

    def check_parts(self) -> None:
        """Refuse a reward that compares samples, where each is judged alone.

        Raises:
            InvalidRequestError: it compares.
        """
        if self.judged_alone is not None and self.compares:
            raise InvalidRequestError(
                f"{type(self.rewarder).__name__} compares samples, and {self.judged_alone} is judged alone: take "
                "another reward"
            )
