"""BestOfNController: the sample with the highest score."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from scaffolding_core.controller import Steps
from scaffolding_core.errors import ControllerError
from scaffolding_core.tensorrt_llm.controllers.base import Controller, ParallelProcess
from scaffolding_core.tensorrt_llm.controllers.native_reward import NativeRewardController

__all__ = ["BestOfNController"]


class BestOfNController(Controller):
    """Draws samples, has all of them scored at once, and keeps the best.

    The core's controller of the same name scores each sample as soon as it ends.

    Cost: `sample_num` runs of the generation controller at the same time, then one of the reward controller.

    Args:
        generation_controller: makes one sample.
        reward_controller: leaves a score for each sample in its `scores`.
        default_sample_num: samples, unless a call asks for more by `sample_num`.
    """

    def __init__(
        self,
        generation_controller: Controller,
        reward_controller: NativeRewardController,
        default_sample_num: int = 4,
    ) -> None:
        self.generation_controller = generation_controller
        self.reward_controller = reward_controller
        self.default_sample_num = default_sample_num

    def process(
        self,
        tasks: list[Any],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, Any] = {},
        reward_kwargs: Mapping[str, Any] = {},
        select_best_kwargs: Mapping[str, Any] = {},
        **kwargs: Any,
    ) -> Steps[Any]:
        """Draw and score the samples, and give the task the results of the best.

        Raises:
            ControllerError: more than one task, or the reward controller has left no scores.
        """
        if len(tasks) != 1:
            raise ControllerError(f"BestOfNController takes one task at a time, got {len(tasks)}")
        numbers = range(max(sample_num or 0, self.default_sample_num))
        samples = [copy.deepcopy(tasks[0]) for _ in numbers]
        controllers = [self.generation_controller.clone() for _ in numbers]
        yield ParallelProcess(controllers, [[sample] for sample in samples], [generation_kwargs for _ in numbers])
        yield from self.reward_controller.process(samples, **reward_kwargs)
        scores = self.reward_controller.scores
        if scores is None or len(scores) != len(samples):
            name = type(self.reward_controller).__name__
            raise ControllerError(f"{name} must leave a score for each of {len(samples)} samples in its scores")
        best, _ = self.select_best(samples, scores, **select_best_kwargs)
        tasks[0].take_results(best)

    def select_best(self, tasks: list[Any], reward_values: Sequence[float], **kwargs: Any) -> tuple[Any, int]:
        """The best of the samples, and its index; of equals the first."""
        index = max(range(len(tasks)), key=lambda i: float(reward_values[i]))
        return tasks[index], index
