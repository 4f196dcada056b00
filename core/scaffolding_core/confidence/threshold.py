"""The confidence that a share of answers keeps up, as the first few show it."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["kept_threshold"]


def kept_threshold(confidences: Sequence[float], keep: float) -> float:
    """What a share of these confidences reaches: their percentile of 100 (1 - keep), between two in proportion.

    Args:
        confidences: one at least.
        keep: the share, from 0 to 1.
    """
    ranked = sorted(confidences)
    place = (len(ranked) - 1) * (1 - keep)
    below = math.floor(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (ranked[above] - ranked[below]) * (place - below)
