"""The yes or no, true or false that a text begins with."""

from __future__ import annotations

import re

__all__ = ["verdict"]

_VERDICT = re.compile(
    r"[\s*_\"']{0,8}(?!no\.\s?\d)(yes|no|true|false)\b[*_\"']{0,4}(?:\s{0,8}$|\s?[,.;:!–—]|\n)", re.IGNORECASE
)


def verdict(text: str) -> str | None:
    """The word; None if the text begins in another way. `No. 5` is a number."""
    found = _VERDICT.match(text)
    return found[1] if found else None
