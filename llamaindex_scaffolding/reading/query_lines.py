"""The queries that LlamaIndex's QueryFusionRetriever would run: one a line."""

from __future__ import annotations

import re

from scaffolding_core import Reading

__all__ = ["query_lines"]

# A sentence, a choice, a step of a computation, a statement of an answer, JSON or code is no query.
_NO_QUERY = re.compile(
    r"[=\\{}<>|#`]|:\s|[.!;:,]$|^\W{0,4}(?:so|then|thus|hence|therefore|total|answer|final|option|[a-e][.):])(?!\w)"
    r"|\b(?:is|are|was|equals|makes|gives)\s[^\s\w]{0,3}\d[\d.,]*\s?\w{0,12}$",
    re.I,
)
_LONGEST_LINE = 300
_LONGEST = 10_000


def query_lines(text: str) -> Reading | None:
    """The lines, where each of several is a question or a phrase; None for any other text.

    A first line that announces them counts: the retriever would run it, too.
    """
    if "\n" not in text or len(text) > _LONGEST:
        return None
    lines = [line.strip() for line in text.strip("`").split("\n") if line.strip()]
    queries = lines[1:] if lines and lines[0].endswith(":") else lines
    return Reading(lines, "lines") if len(queries) > 1 and all(map(_is_query, queries)) else None


def _is_query(line: str) -> bool:
    return len(line) <= _LONGEST_LINE and " " in line and _NO_QUERY.search(line) is None
