"""The verdict of LlamaIndex's PairwiseComparisonEvaluator."""

from __future__ import annotations

from scaffolding_core import Reading

__all__ = ["pairwise_verdict"]


def pairwise_verdict(text: str) -> Reading | None:
    """`A`, `B` or `C`, whichever stands in double brackets, the first of them that does; None if none does."""
    return next((Reading(letter, "verdict") for letter in "ABC" if f"[[{letter}]]" in text), None)
