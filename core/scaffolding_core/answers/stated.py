"""Stated: what follows the last "the answer is", or `####`."""

from __future__ import annotations

import re

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.messages import AssistantMessage

__all__ = ["Stated", "stated"]

_STATEMENT = re.compile(r"(?:####|\banswer\s?(?:is|:|=)|\banswer\*\*\s?:?)[ \t*:=]{0,8}", re.IGNORECASE)
_END = re.compile(r"\n|\.(?:\s|$)")
_LONGEST = 400


class Stated(Extractor):
    """What follows the last "answer is", "answer:" or `####` (as GSM8K writes it), to the end of the sentence."""

    def extract(self, message: AssistantMessage) -> str | None:
        """The rest of the sentence, without markup around it."""
        return stated(message.text)


def stated(text: str) -> str | None:
    """What a text states as its answer."""
    start = None
    for match in _STATEMENT.finditer(text):
        start = match.end()
    if start is None:
        return None
    sentence = _END.split(text[start : start + _LONGEST], maxsplit=1)[0]
    return sentence.strip(" \t*_`\"'$:") or None
