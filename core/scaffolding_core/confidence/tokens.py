"""The confidence of single tokens, and its mean over an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scaffolding_core.messages import TokenLogprob

__all__ = ["likelihood", "mean_confidence", "mean_logprob", "self_certainty", "token_confidence"]

_LOWEST = -100.0
"""Stands for the log probability of what cannot be: some backends tell minus infinity."""


def token_confidence(token: TokenLogprob) -> float:
    """How peaked the distribution of a token was: minus the mean log probability of the likeliest that are told.

    At least 0, and higher where the first of them leaves nothing to the others. Where no likeliest are told, the
    token's own log probability stands for them, and says less: there a sure token has 0.

    Source: Fu et al. 2025, arXiv 2508.15260.
    """
    if not token.top:
        return -_bounded(token.logprob)
    return -math.fsum(_bounded(logprob) for _, logprob in token.top) / len(token.top)


def mean_logprob(tokens: Sequence[TokenLogprob]) -> float:
    """The mean natural log probability of the tokens of an answer, at most 0; 0 of no token."""
    return math.fsum(_bounded(token.logprob) for token in tokens) / max(1, len(tokens))


def likelihood(tokens: Sequence[TokenLogprob], sharpness: float = 1.0) -> float:
    """The geometric mean of the probabilities of an answer's tokens, to the power of a sharpness."""
    return math.exp(sharpness * mean_logprob(tokens))


def mean_confidence(tokens: Sequence[TokenLogprob]) -> float:
    """The mean confidence of the tokens of an answer; 0 of no token."""
    return math.fsum(map(token_confidence, tokens)) / max(1, len(tokens))


def self_certainty(tokens: Sequence[TokenLogprob]) -> float:
    """How far the distributions of an answer's tokens are from even, in nats; 0 of no token.

    The mean divergence of an even distribution from each token's, over the k likeliest that are told, where the
    paper takes the whole vocabulary: of k that are equally likely and all that there is, it is 0.

    Source: Kang et al. 2025, arXiv 2502.18581.
    """
    told = [token for token in tokens if token.top]
    even = math.fsum(math.log(len(token.top)) for token in told)
    return (math.fsum(map(token_confidence, told)) - even) / max(1, len(told))


def _bounded(logprob: float) -> float:
    return min(0.0, max(_LOWEST, logprob)) if not math.isnan(logprob) else _LOWEST
