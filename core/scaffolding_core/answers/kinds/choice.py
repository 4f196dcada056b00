"""Choices: one of several options, by its mark or by its text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scaffolding_core.answers.choice import choice_in, choice_said
from scaffolding_core.answers.extractor import Answer, Extractor, Reading
from scaffolding_core.answers.normalised import text_key
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.phrase import said_in
from scaffolding_core.answers.phrases import InPhrases
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.answers.value import bare
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, JsonValue

__all__ = ["choice_answers"]

_MARKED = pattern(r"(?:(?:option|choice|answer|number)\s)?[(\[]?([^()\[\]]{1,100}?)[)\].:]*", re.IGNORECASE)


def choice_answers(choices: Sequence[str] | None, labels: Sequence[str] | None) -> Extractor:
    """Finds the option that a text chooses.

    Args:
        choices: the marks of the options, such as `["A", "B", "C"]`; None for any letter.
        labels: the texts of the options, one for each choice; or, without choices, the options themselves.

    Raises:
        InvalidRequestError: none, two that read alike, or as many labels as there are no choices.
    """
    marks = _checked("choices", choices)
    texts = _checked("labels", labels)
    if marks is not None and texts is not None:
        if len(marks) != len(texts):
            raise InvalidRequestError(f"give a label for each choice: {len(marks)} choices, {len(texts)} labels")
        others = [text for mark, text in zip(marks, texts, strict=True) if text_key(text) != text_key(mark)]
        _checked("choices and labels", [*marks, *others])
    return _Choice(_Options(marks, texts or []))


class _Choice(InPhrases):
    """Finds the option; one such as `unknown` or `none`, alone, is an option before it is a refusal."""

    costly = False

    def __init__(self, options: _Options) -> None:
        super().__init__(options.chosen)
        self._options = options

    def read(self, message: AssistantMessage) -> Reading:
        found = super().read(message)
        named = self._options.named(without_thoughts(message.text) or "") if found.refused else None
        return Reading(named, "whole") if named is not None else found


class _Options:
    def __init__(self, choices: list[str] | None, labels: list[str]) -> None:
        self._open = choices is None and not labels
        self._by_key = {text_key(choice): choice for choice in choices or labels}
        self._by_key |= {text_key(label): choice for label, choice in zip(labels, choices or labels, strict=False)}
        # The longest first: `very good` holds `good`.
        spelt = sorted(map(re.escape, self._by_key), key=len, reverse=True)
        self._anywhere = re.compile(rf"(?<!\w)(?:{'|'.join(spelt)})(?!\w)") if spelt else None

    def named(self, text: str) -> str | None:
        """The option that a text is, as a whole."""
        return self._by_key.get(text_key(text))

    def chosen(self, phrase: JsonValue, how: str) -> Answer | None:
        if not isinstance(phrase, str):
            phrase = str(phrase) if isinstance(phrase, int | float) else ""
        said = bare(phrase)
        letter = choice_in(said) or choice_in(said_in(phrase)) or choice_said(said)
        if self._open:
            return letter
        mark = _MARKED.fullmatch(said)
        spelt = (said, mark[1] if mark else "", letter or "")
        whole = next(filter(None, (self._by_key.get(text_key(each)) for each in spelt)), None)
        return whole or self._only_one(text_key(phrase))

    def _only_one(self, key: str) -> str | None:
        """The one option that is spoken of."""
        assert self._anywhere is not None
        found = {self._by_key[spelt] for spelt in self._anywhere.findall(key) if len(spelt) > 1}
        return found.pop() if len(found) == 1 else None


def _checked(name: str, given: Sequence[str] | None) -> list[str] | None:
    if given is None:
        return None
    if isinstance(given, str) or not all(isinstance(each, str) and each.strip() for each in given) or not given:
        raise InvalidRequestError(f"{name} must be a list of texts that are not empty, got {given!r}")
    seen: dict[str, str] = {}
    for each in given:
        key = text_key(each)
        if key in seen:
            raise InvalidRequestError(f"{name} must differ: {seen[key]!r} and {each!r} read alike")
        seen[key] = each
    return list(given)
