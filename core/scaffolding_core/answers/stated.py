"""Stated: what follows the last "the answer is", or `####`."""

from __future__ import annotations

import re

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.messages import AssistantMessage

__all__ = ["Stated"]

_STATEMENT = re.compile(
    r"(?:####|\banswer\s?(?:is|:|=)|\banswer\*\*\s?:?)[ \t*:=]{0,8}([^\n]{1,400})", re.IGNORECASE
)


class Stated(Extractor):
    """What follows the last "answer is", "answer:" or `####` (as GSM8K writes it), to the end of the sentence."""

    def extract(self, message: AssistantMessage) -> str | None:
        """The rest of the sentence, without markup around it."""
        answer = None
        for match in _STATEMENT.finditer(message.text):
            answer = match.group(1)
        if answer is None:
            return None
        sentence = re.split(r"\.(?:\s|$)", answer, maxsplit=1)[0]
        return sentence.strip(" \t*_`\"'$:") or None
