"""How sure a model was of its own words, as arithmetic over the log probabilities of its tokens."""

from scaffolding_core.confidence.ballot import ConfidenceBallot
from scaffolding_core.confidence.groups import (
    GroupConfidence,
    bottom_confidence,
    lowest_confidence,
    tail_confidence,
)
from scaffolding_core.confidence.policies import VOTE_POLICIES, Measure, VotePolicy
from scaffolding_core.confidence.threshold import kept_threshold
from scaffolding_core.confidence.tokens import (
    likelihood,
    mean_confidence,
    mean_logprob,
    self_certainty,
    token_confidence,
)

__all__ = [
    "VOTE_POLICIES",
    "ConfidenceBallot",
    "GroupConfidence",
    "Measure",
    "VotePolicy",
    "bottom_confidence",
    "kept_threshold",
    "likelihood",
    "lowest_confidence",
    "mean_confidence",
    "mean_logprob",
    "self_certainty",
    "tail_confidence",
    "token_confidence",
]
