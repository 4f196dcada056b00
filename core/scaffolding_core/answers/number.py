"""LastNumber: the last number in a text."""

from __future__ import annotations

import re

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.messages import AssistantMessage

__all__ = ["LastNumber", "last_number"]

_NUMBER = re.compile(
    r"(?<!\w)(?<!\d\.)[-+−]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|(?<!\.)\.\d+)"
    r"(?:[eE][-+]?\d{1,3})?(?:/\d+)?(?:\s?\\?%)?"
)


class LastNumber(Extractor):
    """The last number in the text, as it is written: `1,000`, `-3.5`, `.5`, `1/2`, `50%`."""

    def extract(self, message: AssistantMessage) -> str | None:
        """The number; None if the text has none."""
        return last_number(message.text)


def last_number(text: str) -> str | None:
    """The last number in a text."""
    number = None
    for match in _NUMBER.finditer(text):
        number = match.group()
    return number
