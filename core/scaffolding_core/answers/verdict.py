"""The yes or no, true or false that a text begins with, or settles on."""

from __future__ import annotations

import re

from scaffolding_core.answers.pattern import pattern

__all__ = ["verdict", "verdict_said"]

_VERDICT = pattern(
    r"[\s*_\"'“(\[]{0,8}(?:(?:so|thus|therefore|hence|overall|in\sshort)[,:]?\s{1,3})?[*_\"']{0,3}(?!no\.\s?\d)(yes|no|true|false)\b"
    r"[*_\"'”)\]]{0,4}(?:\s{0,8}$|\s?[,.;:!–—]|\s-\s|\n)"
    r"(?!\s?(?:but|if|only if|unless|except|wait|well|or|yes|no)\b)",
    re.IGNORECASE,
)
_BOTH = pattern(r"[\s*_\"']{0,8}(?:yes|no)\s?[,/]?\s?(?:and|or|&|/)\s?(?:yes|no)\b", re.IGNORECASE)
_SAID = pattern(
    r"\b(?:statement|claim|assertion|proposition|hypothesis|it|this|that|answer|verdict)\s(?:is|must\sbe|would\sbe)\s"
    r"(?:therefore\s|indeed\s)?(?P<word>true|false|yes|no)[\s.*!]*$",
    re.IGNORECASE,
)


_QUALIFIED = pattern(
    r"\b(?:not|nothing|no|doubt|false|only|first|second|third|last|if|unless|say|claim that)\b|n['’]t\b",
    re.IGNORECASE,
)


def verdict(text: str) -> str | None:
    """The word; None if the text begins in another way. `No. 5` is a number, and `Yes and no` is neither."""
    found = _VERDICT.match(text)
    return found[1] if found and not _BOTH.match(text) else None


def verdict_said(sentence: str) -> str | None:
    """The word that a sentence ends in, where it says of a statement that it is so: `the statement is false`."""
    found = _SAID.search(sentence)
    return found["word"] if found and not _QUALIFIED.search(sentence[: found.start("word")]) else None
