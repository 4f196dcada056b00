r"""Boxed: the content of the last `\boxed{...}`."""

from __future__ import annotations

from typing import NamedTuple

from scaffolding_core.answers.extractor import Extractor, Reading
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.messages import AssistantMessage

__all__ = ["Box", "Boxed", "last_box", "last_boxed"]

_OPENING = pattern(r"\\f?box(?:ed)?\s*\{")
_BARE = pattern(r"\\boxed\s+(-?[\w.]+)")
# An escaped backslash first: in `\\{` the brace itself is not escaped.
_BRACES = pattern(r"\\[\\{}]|[{}]")
_BETWEEN = pattern(r"[\s$\\()\[\]]{0,8}(?:,|;|\band\b|\bor\b|,\s?and\b|,\s?or\b)[\s$\\()\[\]]{0,8}")
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

    def extract(self, message: AssistantMessage) -> str | None:
        """The content, stripped; None if there is none, or nothing in it."""
        return last_boxed(without_thoughts(message.text) or "")

    def read(self, message: AssistantMessage) -> Reading:
        """The content, read as `boxed`."""
        found = self.extract(message)
        return Reading(found, "boxed" if found else "")


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
    boxes += [Box(found[1], found.start(), found.end()) for found in _BARE.finditer(text)]
    if not boxes:
        return None
    boxes.sort(key=lambda box: box.start)
    row = [boxes.pop()]
    while boxes and _BETWEEN.fullmatch(text, boxes[-1].end, row[0].start):
        row.insert(0, boxes.pop())
    return Box(", ".join(box.content for box in row), row[0].start, row[-1].end)


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
