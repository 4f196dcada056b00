"""Judgement: what a reward says of one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Judgement"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reward says of one answer.

    Args:
        score: higher is better.
        verdict: whether the answer passes; None where the score has to tell.
        feedback: the judge's words.
        step_scores: a score for each step, from a process reward model.
    """

    score: float
    verdict: bool | None = None
    feedback: str | None = None
    step_scores: Sequence[float] | None = None

    def summary(self) -> dict[str, Any]:
        """What it says beside the score, as plain data, fit for JSON."""
        steps = None if self.step_scores is None else list(self.step_scores)
        return {"verdict": self.verdict, "feedback": self.feedback, "step_scores": steps}
