r"""Boxed: the content of the last `\boxed{...}`."""

from __future__ import annotations

import re
from typing import NamedTuple

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.answers.unit import KNOWN_UNIT
from scaffolding_core.messages import AssistantMessage

__all__ = ["Box", "Boxed", "last_box", "last_boxed"]

_OPENING = pattern(r"\\f?box(?:ed)?\s*\{")
_BARE = pattern(r"\\boxed\s+(-?[\w.]+)")
# An escaped backslash first: in `\\{` the brace itself is not escaped.
_BRACES = pattern(r"\\[\\{}]|[{}]")
_DENIED = pattern(r"(?:\bnot|n['’]t)\s*(?:equal\s|to\s|be\s)*[$\\(\[]*\s*\Z")
_SIGN = pattern(r"(?:[<>]|\\(?:leq?|geq?|lt|gt|neq?|pm|sqrt)(?![a-z])|(?<![\w})\]]\s)(?<![\w})\]])-)\s*\Z")
_UNIT = pattern(rf"\s{{0,4}}(?:\\?%|\\pi\b|\^\{{?\\circ\}}?|[$\s]{{0,4}}{KNOWN_UNIT}(?=[\s.,;]|$))", re.IGNORECASE)
_BETWEEN = pattern(
    r"[\s$\\()\[\].]{0,8}(?:,|;|(?:,\s?|\\text\{\s?)?(?:and|or)\b\s?\}?|(?:,\s?)?\([a-z]\)|Part\s\w{1,3}[:.]?)"
    r"[\s$\\()\[\]]{0,8}(?:[a-zA-Z]\s?=\s?[$]?)?",
    re.IGNORECASE,
)
_SEARCHED = 100_000


class Box(NamedTuple):
    """A box that a text ends in.

    Attributes:
        content: of the box; where it is one of a row of boxes, of all of them.
        start: where the box, or the first of the row, begins.
        end: behind it.
    """

    content: str
    start: int
    end: int


class Boxed(Extractor):
    r"""The content of the last complete `\boxed{...}` or `\fbox{...}`, braces inside it matched.

    Of a longer text, the last 100,000 characters are searched.
    """

    costly = False

    how = "boxed"

    def extract(self, message: AssistantMessage) -> str | None:
        """The content, stripped; None if there is none, or nothing in it."""
        return last_boxed(without_thoughts(message.text) or "")


def last_boxed(text: str) -> str | None:
    """The content of the last complete box in a text."""
    text = text[-_SEARCHED:]
    openings = list(_OPENING.finditer(text)) if "box" in text else []
    ends = _closing_braces(text) if openings else {}
    for opening in reversed(openings):
        if opening.end() - 1 in ends:
            return text[opening.end() : ends[opening.end() - 1]].strip() or None
    return None


def last_box(text: str) -> Box | None:
    """The last box in a text, or the row of boxes it ends: `\\boxed{2}` and `\\boxed{3}` are `2, 3`."""
    if "box" not in text:
        return None
    ends = _closing_braces(text)
    boxes = [
        Box(text[opening.end() : ends[opening.end() - 1]].strip(), opening.start(), ends[opening.end() - 1] + 1)
        for opening in _OPENING.finditer(text)
        if opening.end() - 1 in ends
    ]
    boxes = [box for box in boxes if not _DENIED.search(text, max(0, box.start - 40), box.start)]
    boxes += [Box(found[1], found.start(), found.end()) for found in _BARE.finditer(text)]
    if not boxes:
        return None
    boxes.sort(key=lambda box: box.start)
    row = [boxes.pop()]
    while boxes and _BETWEEN.fullmatch(text, boxes[-1].end, row[0].start):
        row.insert(0, boxes.pop())
    if len(row) > 1:
        return Box(", ".join(box.content for box in row), row[0].start, row[-1].end)
    return _with_surroundings(text, row[0])


def _with_surroundings(text: str, box: Box) -> Box:
    """The box with the sign before it, and the unit behind it, that belong to what is in it."""
    sign = _SIGN.search(text, max(0, box.start - 12), box.start)
    unit = _UNIT.match(text, box.end)
    content = (sign[0] if sign else "") + box.content
    if unit and unit[0].strip(" $\n") and unit["unit"] not in ("unit", "units") and box.content:
        content = f"{content}{' ' if unit[0][:1] in ' $' else ''}{unit[0].strip(' $')}"
    return Box(content, box.start, box.end)


def _closing_braces(text: str) -> dict[int, int]:
    """Where each brace that is closed is closed, by where it opens; in one pass, whatever the text."""
    open_at: list[int] = []
    ends: dict[int, int] = {}
    for match in _BRACES.finditer(text):
        if match.group() == "{":
            open_at.append(match.start())
        elif match.group() == "}" and open_at:
            ends[open_at.pop()] = match.start()
    return ends
