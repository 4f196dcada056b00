"""How answers vote by their confidence: which measure of it, which of them, and whether it is their weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from scaffolding_core.confidence.groups import bottom_confidence, lowest_confidence, tail_confidence
from scaffolding_core.confidence.tokens import mean_confidence
from scaffolding_core.messages import TokenLogprob

__all__ = ["VOTE_POLICIES", "Measure", "VotePolicy"]

Measure: TypeAlias = Callable[[Sequence[TokenLogprob], int], float]
"""Takes the tokens of an answer and the size of a group."""


def _mean(tokens: Sequence[TokenLogprob], size: int) -> float:
    return mean_confidence(tokens)


@dataclass(frozen=True, slots=True)
class VotePolicy:
    """How answers vote.

    Args:
        measure: of their confidence.
        keep: the share of them that votes, the most confident.
        weighted: their confidence is their weight; else all weigh the same.
    """

    measure: Measure
    keep: float = 1.0
    weighted: bool = True


VOTE_POLICIES: Mapping[str, VotePolicy] = MappingProxyType(
    {
        "majority": VotePolicy(_mean, weighted=False),
        "mean_confidence_weighted": VotePolicy(_mean),
        "tail_confidence_weighted": VotePolicy(tail_confidence),
        "bottom_window_weighted": VotePolicy(bottom_confidence),
        "min_window_weighted": VotePolicy(lowest_confidence),
        "top10_tail_filtered": VotePolicy(tail_confidence, keep=0.1),
        "top10_bottom_window_filtered": VotePolicy(bottom_confidence, keep=0.1),
    }
)
"""Policies by name; the names are those of TensorRT-LLM's DeepConf."""
