"""The worker process of `Matches`: one JSON line in, one out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from scaffolding_core.answers.bounded_process import serve
from scaffolding_core.messages import JsonValue

__all__ = ["matches"]


def matches(question: Mapping[str, JsonValue]) -> bool:
    """Whether a pattern matches somewhere in a text."""
    return re.search(str(question["pattern"]), str(question["text"])) is not None


if __name__ == "__main__":
    serve(matches)
