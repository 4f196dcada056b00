"""Lists that a model writes."""

from __future__ import annotations

import re

__all__ = ["listed"]

_ITEM = re.compile(r"\s*(?:[-*•]|\*{0,2}\(?[^\W\d]{0,12}\s?\d{1,3}\s?[.):]\*{0,2})\s+")
"""What an item begins with: a bullet, or a number, with a word or a letter before it or not."""


def listed(text: str) -> list[str]:
    """The items of a list, in order, each once; a line that begins none belongs to the item above it.

    What stands before the first item is none. Where no line begins an item, each line is one.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not any(map(_ITEM.match, lines)):
        return _once(lines)
    items: list[str] = []
    for line in lines:
        if found := _ITEM.match(line):
            items.append(line[found.end() :])
        elif items:
            items[-1] += f" {line.strip()}"
    return _once(items)


def _once(items: list[str]) -> list[str]:
    return list(dict.fromkeys(bare for item in items if (bare := item.strip().strip("*").strip())))
