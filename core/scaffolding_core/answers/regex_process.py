"""The worker process of `Regex`: one JSON line in, one out."""

from __future__ import annotations

import re

from scaffolding_core.answers.bounded_process import serve

__all__ = ["last_match"]


def last_match(question: dict[str, object]) -> str | None:
    """The last match of a pattern in a text."""
    found = None
    for match in re.finditer(str(question["pattern"]), str(question["text"]), int(str(question["flags"]))):
        found = match
    if found is None:
        return None
    return found.group(1 if found.re.groups else 0)


if __name__ == "__main__":
    serve(last_match)
