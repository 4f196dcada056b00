"""MajorityVoteController: the answer that most samples give."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from scaffolding_core.controller import Steps
from scaffolding_core.tensorrt_llm.controllers.base import Controller, ParallelProcess
from scaffolding_core.tensorrt_llm.math_utils import get_digit_majority_vote_result

__all__ = ["MajorityVoteController"]


class MajorityVoteController(Controller):
    r"""Draws samples and keeps one whose answer is the most frequent, by `majority_vote`.

    The core's vote of the same name stops as soon as the outcome is certain, and reads more than whole numbers in
    `\boxed{}`.

    Cost: `sample_num` runs of the generation controller, at the same time.

    Args:
        generation_controller: makes one sample.
        default_sample_num: samples, unless a call asks for more by `sample_num`.
    """

    def __init__(self, generation_controller: Controller, default_sample_num: int = 1) -> None:
        self.generation_controller = generation_controller
        self.default_sample_num = default_sample_num

    def process(
        self,
        tasks: list[Any],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, Any] = {},
        majority_vote_kwargs: Mapping[str, Any] = {},
        **kwargs: Any,
    ) -> Steps[Any]:
        """Draw the samples, and give `tasks[0]` the results of the one that won."""
        numbers = range(max(sample_num or 0, self.default_sample_num))
        samples = [copy.deepcopy(tasks) for _ in numbers]
        controllers = [self.generation_controller.clone() for _ in numbers]
        yield ParallelProcess(controllers, samples, [copy.deepcopy(generation_kwargs) for _ in numbers])
        index, _ = self.majority_vote(samples, **majority_vote_kwargs)
        tasks[0].take_results(samples[index][0])

    def majority_vote(self, candidates_tasks: list[list[Any]], **kwargs: Any) -> tuple[int, str | None]:
        """The index of the sample that wins, and its answer; without any answer the first wins."""
        return get_digit_majority_vote_result([tasks[0].output_str for tasks in candidates_tasks])
