"""Scores out of the logits of a reward model, as arithmetic on plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from scaffolding_core.errors import WorkerError

__all__ = ["good_chances"]


def good_chances(logits: Any, positions: Sequence[int], length: int) -> list[float]:
    """How likely the label "good", which is the second, is at some tokens.

    Only the rows of these tokens are read: a tensor may hold thousands more, on a GPU.

    Args:
        logits: of each token and each of its labels: nested lists, or what is indexed like them, as the arrays and
            tensors of any library; one batch around them is looked through.
        positions: of the tokens; from the end where negative.
        length: how many tokens there must be.

    Raises:
        WorkerError: there are more or fewer tokens, or less than two labels.
    """
    try:
        rows = logits[0] if _depth(logits) == 3 else logits
        if len(rows) != length:
            raise WorkerError(
                f"the reward model told logits of {len(rows)} tokens, where it was asked for {length}"
            )
        return [_second([float(label) for label in rows[position]]) for position in positions]
    except (TypeError, IndexError, ValueError) as error:
        raise WorkerError(f"the reward model must tell logits of each token and label: {error}") from error


def _depth(numbers: Any) -> int:
    """How often numbers are indexed until there is one."""
    told = getattr(numbers, "ndim", None)
    if told is not None:
        return int(told)
    return 1 + _depth(numbers[0]) if isinstance(numbers, Sequence) and numbers else 0


def _second(logits: Sequence[float]) -> float:
    """The softmax of the second logit."""
    highest = max(logits)
    weights = [math.exp(logit - highest) for logit in logits]
    return weights[1] / math.fsum(weights)
