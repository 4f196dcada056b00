"""The confidence of groups of tokens: windows that slide over an answer, and its end."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from scaffolding_core.confidence.tokens import mean_confidence, token_confidence
from scaffolding_core.messages import TokenLogprob

__all__ = ["GroupConfidence", "bottom_confidence", "lowest_confidence", "tail_confidence"]


class GroupConfidence:
    """The mean confidence of the last tokens, as they come.

    Args:
        size: tokens of a group.

    Attributes:
        lowest: that of the least confident whole group so far; None before there is one.
        tokens: how many came.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.lowest: float | None = None
        self.tokens = 0
        self._total = 0.0
        self._last: deque[float] = deque(maxlen=size)
        self._sum = 0.0

    @property
    def mean(self) -> float | None:
        """That of all tokens; None of none."""
        return self._total / self.tokens if self.tokens else None

    def add(self, token: TokenLogprob) -> float | None:
        """Count a further token; returns the confidence of the group that it ends, None before one is whole."""
        if len(self._last) == self.size:
            self._sum -= self._last[0]
        confidence = token_confidence(token)
        self.tokens += 1
        self._total += confidence
        self._last.append(confidence)
        self._sum += confidence
        if len(self._last) < self.size:
            return None
        group = self._sum / self.size
        self.lowest = group if self.lowest is None else min(self.lowest, group)
        return group


def lowest_confidence(tokens: Sequence[TokenLogprob], size: int) -> float:
    """That of an answer's least confident group; of its mean where it is shorter than one."""
    return min(_groups(tokens, size))


def bottom_confidence(tokens: Sequence[TokenLogprob], size: int, share: float = 0.1) -> float:
    """The mean of an answer's least confident groups.

    Args:
        tokens: of the answer.
        size: tokens of a group.
        share: of all groups, which count; one at least.
    """
    groups = sorted(_groups(tokens, size))
    bottom = groups[: max(1, int(share * len(groups)))]
    return math.fsum(bottom) / len(bottom)


def tail_confidence(tokens: Sequence[TokenLogprob], size: int) -> float:
    """That of an answer's last tokens."""
    return mean_confidence(tokens[-size:])


def _groups(tokens: Sequence[TokenLogprob], size: int) -> list[float]:
    group = GroupConfidence(size)
    groups = [confidence for token in tokens if (confidence := group.add(token)) is not None]
    return groups or [mean_confidence(tokens)]
