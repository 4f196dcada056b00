"""Stated: what follows the last "the answer is", or `####`."""

from __future__ import annotations

import re

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.messages import AssistantMessage

__all__ = ["Stated", "stated"]

_STATEMENT = re.compile(
    r"(?:####|\b(?:answer|correct (?:option|choice))\s?(?:is\b(?!\s?not\b)|:|=)|\banswer\*\*\s?:?)[\s*:=]{0,8}",
    re.IGNORECASE,
)
_END = re.compile(r"\n|\.(?:\s|$)|,?\s(?:because|since)\s", re.IGNORECASE)
_AROUND = " \t*_`\"':"
_FORMULA = re.compile(r"\$(.*?)\$\.?")
_HINT = re.compile("answer|correct (?:option|choice)", re.IGNORECASE)
_LONGEST = 400


class Stated(Extractor):
    """What follows the last "answer is", "answer:" or `####` (as GSM8K writes it), to the end of the sentence."""

    def extract(self, message: AssistantMessage) -> str | None:
        """The rest of the sentence, without markup around it; None if nothing is stated."""
        return stated(message.text)


def stated(text: str) -> str | None:
    """What a text states as its answer; a statement that was cut short before it said anything is passed over."""
    if "####" not in text and not _HINT.search(text):  # told much sooner than by the pattern
        return None
    for start in reversed([match.end() for match in _STATEMENT.finditer(text)]):
        sentence = _END.split(text[start : start + _LONGEST], maxsplit=1)[0].replace("**", "").strip(_AROUND)
        formula = _FORMULA.fullmatch(sentence)  # `$5$` is one, `$5` is money
        if formula:
            sentence = formula[1].strip()
        if sentence.strip("$"):
            return sentence
    return None
