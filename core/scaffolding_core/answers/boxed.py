r"""Boxed: the content of the last `\boxed{...}`."""

from __future__ import annotations

import re

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.messages import AssistantMessage

__all__ = ["Boxed", "last_boxed"]

_OPENING = re.compile(r"\\f?box(?:ed)?\s*\{")
# An escaped backslash first: in `\\{` the brace itself is not escaped.
_BRACES = re.compile(r"\\[\\{}]|[{}]")


class Boxed(Extractor):
    r"""The content of the last complete `\boxed{...}` or `\fbox{...}`, braces inside it matched."""

    def extract(self, message: AssistantMessage) -> str | None:
        """The content, stripped; None if there is none, or nothing in it."""
        return last_boxed(message.text)


def last_boxed(text: str) -> str | None:
    """The content of the last complete box in a text."""
    openings = [match.end() - 1 for match in _OPENING.finditer(text)] if "box" in text else []
    ends = _closing_braces(text) if openings else {}
    for opening in reversed(openings):
        if opening in ends:
            return text[opening + 1 : ends[opening]].strip() or None
    return None


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
