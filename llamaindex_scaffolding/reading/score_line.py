"""The score of LlamaIndex's CorrectnessEvaluator: a line of its own, before the reasons."""

from __future__ import annotations

import re

from scaffolding_core import Reading

__all__ = ["score_line"]

_SCORE = re.compile(
    r"[ \t]{0,8}(\d{1,3}(?:\.\d{1,4})?)[ \t]{0,8}\r?\n\s{0,8}(?=[\"'*“(•-]{0,3}\s?[^\W\d_]|\d+ [^\W\d_])"
)
_ANSWERS = re.compile(r"\\f?box|####|final answer|^[^\w\n]{0,8}\d[\d.,]{0,20}[^\w\n]{0,8}$", re.I | re.M)
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"[^\W\d_][.!](?:\s|$)")
_LOOKED_AT = 20_000


def score_line(text: str) -> Reading | None:
    """The number that is the whole first line of a text that goes on in prose; None for any other text."""
    found = _SCORE.match(text)
    if found is None:
        return None
    reasons = text[found.end() : found.end() + _LOOKED_AT]
    words = len(_WORD.findall(reasons))
    is_prose = words > 2 or (words and ("." in found[1] or _SENTENCE.search(reasons)))
    return Reading(found[1], "score line") if is_prose and not _ANSWERS.search(reasons) else None
