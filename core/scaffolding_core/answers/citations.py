"""Citations of sources in a text."""

from __future__ import annotations

import re

from scaffolding_core.answers.pattern import pattern

__all__ = ["without_citations"]

_CITATION = pattern(
    r"(?P<before>[\w.,;!?\"”’)%]{1,24})(?P<space>\s?)"
    r"(?P<marks>(?:\[\^?\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]|【[^【】\n]{1,40}】){1,8})(?=\s|[.,;!?)]|$)"
)
_CHOSEN = frozenset([
    "document", "documents", "source", "sources", "passage", "passages", "reference", "references", "doc",
    "docs", "section", "item", "option", "figure", "table", "number", "no.", "no", "candidate", "result",
    "article", "is", "are", "and", "or", "answer", "see", "index", "element", "response"
])  # fmt: skip
_WORDS = 2


def without_citations(text: str) -> str:
    """A text without marks of its sources, such as `[1]`; `document [4]` names one, and `x[0]` is no mark."""
    if "[" not in text and "【" not in text:
        return text
    is_prose = text.count(" ") >= _WORDS

    def bare(found: re.Match[str]) -> str:
        if found["marks"][0] == "【":
            return found["before"]
        cited = found["space"] or (is_prose and not found["before"][-1].islower())
        if (
            found["before"].lower() in _CHOSEN
            or not (cited or _ends(text, found.end()))
            or not _is_word(found["before"])
        ):
            return found[0]
        return found["before"]

    return _CITATION.sub(bare, text)


def _is_word(before: str) -> bool:
    """Whether sources may follow it: a word or a number, but no name of a variable."""
    word = before.rstrip('.,;!?"”’)%')
    return len(word) > 1 or word.isdecimal()


def _ends(text: str, position: int) -> bool:
    """Whether a sentence of several words ends there."""
    return text.count(" ", 0, position) >= _WORDS and text[position : position + 1] in ("", ".", "!", "?", "\n")
