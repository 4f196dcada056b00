"""The worker process of `Regex`: one JSON line in, one out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from scaffolding_core.answers.bounded_process import serve
from scaffolding_core.messages import JsonValue

__all__ = ["last_match"]


def last_match(question: Mapping[str, JsonValue]) -> str | None:
    """The last match of a pattern in a text that is not empty."""
    pattern = re.compile(str(question["pattern"]), int(str(question["flags"])))
    group = 1 if pattern.groups else 0
    found = None
    for match in pattern.finditer(str(question["text"])):
        found = match.group(group) or found
    return found


if __name__ == "__main__":
    serve(last_match)
