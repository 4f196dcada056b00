"""DeepConf, offline: the most confident samples vote, by their confidence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from scaffolding_core.answers import AnswersLike
from scaffolding_core.confidence import VOTE_POLICIES, Measure
from scaffolding_core.controller import Controller
from scaffolding_core.controllers.judging import OwnConfidence
from scaffolding_core.controllers.parts import checked_whole
from scaffolding_core.controllers.selecting.weighted_vote import WeightedVoteController
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import TokenLogprob

__all__ = ["DeepConfOfflineController"]


class DeepConfOfflineController(WeightedVoteController):
    """Samples N answers whole, and lets the most confident vote, each with the weight of its confidence.

    A token's confidence is minus the mean log probability of the likeliest at its place; an answer's is, by its
    policy, the mean over all tokens, over the last group of them (`tail`), over the least confident tenth of its
    groups (`bottom_window`), or that of the least confident (`min_window`). Groups slide over the answer, thoughts
    included where the backend tells their log probabilities.

    Cost: N generations, all at the same time, with the log probabilities of their tokens.

    Source: Fu et al. 2025, arXiv 2508.15260; the policies are those of TensorRT-LLM's DeepConf.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        default_sample_num: N, unless a request says `sample_num`.
        policy: how they vote: `majority`, `mean_confidence_weighted`, `tail_confidence_weighted`,
            `bottom_window_weighted`, `min_window_weighted`, `top10_tail_filtered`, or
            `top10_bottom_window_filtered`.
        keep: the share of samples that vote; None for the policy's own: a tenth where it filters, else all.
        group_size: tokens of a group.
        num_logprobs: likeliest tokens of each place, where the task does not say; servers have their most.
        answers: the kind of answer, such as `"number"`; see `Answers`.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: an unknown policy, a number below 1, a share that is none, or something that is no
            controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 16,
        *,
        policy: str = "bottom_window_weighted",
        keep: float | None = None,
        group_size: int = 2048,
        num_logprobs: int = 20,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        if not isinstance(policy, str) or policy not in VOTE_POLICIES:
            raise InvalidRequestError(f"no policy is named {policy!r}; there are: {', '.join(VOTE_POLICIES)}")
        chosen = VOTE_POLICIES[policy]
        measure = partial(_measured, chosen.measure, checked_whole("group_size", group_size, 1))
        super().__init__(
            generation_controller,
            OwnConfidence(measure, checked_whole("num_logprobs", num_logprobs, 1)),
            default_sample_num,
            answers=answers,
            weighing="sum" if chosen.weighted else "count",
            keep=chosen.keep if keep is None else keep,
            min_samples=min_samples,
        )


def _measured(measure: Measure, group_size: int, tokens: Sequence[TokenLogprob]) -> float:
    return measure(tokens, group_size)
