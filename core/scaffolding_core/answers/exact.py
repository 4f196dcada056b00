"""Exact: answers that are the same to the letter."""

from __future__ import annotations

import json
from collections.abc import Hashable

from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.extractor import Answer

__all__ = ["Exact"]


class Exact(KeyEquivalence):
    """Text is the same to the letter, data the same whatever the order of its keys."""

    def key(self, answer: Answer) -> Hashable:
        """The text, or the data as canonical JSON."""
        if isinstance(answer, str):
            return answer
        return json.dumps(answer, sort_keys=True, default=str)
