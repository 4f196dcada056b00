"""Yes or no, true or false."""

from __future__ import annotations

import re

from scaffolding_core.answers.extractor import Answer, Extractor, Reading
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.phrases import InPhrases
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.answers.value import bare
from scaffolding_core.answers.verdict import verdict, verdict_said
from scaffolding_core.messages import AssistantMessage, JsonValue

__all__ = ["yes_no_answers"]

_YES = [
    "yes", "yeah", "yep", "true", "correct", "ja", "oui", "sí", "si", "sim", "sì", "да", "是", "是的", "对",
    "はい", "예", "네",
]  # fmt: skip
_NO = [
    "no", "nope", "false", "incorrect", "nein", "non", "não", "нет", "否", "不", "不是", "いいえ", "아니요",
]  # fmt: skip
_MEANING = {**dict.fromkeys(_YES, "yes"), **dict.fromkeys(_NO, "no")}
_WORDS = pattern(r"\b(?:yes|no|true|false)\b(?!\.\s?\d)", re.IGNORECASE)


def yes_no_answers() -> Extractor:
    """Finds a yes or a no, as `yes` or `no`."""
    return _YesNo()


class _YesNo(InPhrases):
    costly = False

    def __init__(self) -> None:
        super().__init__(_yes_or_no)

    def read(self, message: AssistantMessage) -> Reading:
        found = super().read(message)
        begun = verdict(without_thoughts(message.text) or "")
        if begun and found.how in ("", "last sentence"):
            return Reading(_MEANING.get(begun.lower()), "yes or no")
        return found


def _yes_or_no(phrase: JsonValue, how: str) -> Answer | None:
    if isinstance(phrase, bool):
        return "yes" if phrase else "no"
    if not isinstance(phrase, str):
        return None
    said = bare(phrase)
    word = said if said.lower() in _MEANING else verdict(said) or verdict_said(said)
    if word is None:
        words = {found.lower() for found in _WORDS.findall(said)}
        word = words.pop() if len(words) == 1 and how != "last sentence" else None
    return None if word is None else _MEANING.get(word.lower())
