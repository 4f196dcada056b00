"""Normalised: text without what does not matter, values by what they are."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Hashable

from scaffolding_core.answers.choice import choice_in
from scaffolding_core.answers.citations import without_citations
from scaffolding_core.answers.code import Code, code_key, looks_like_code
from scaffolding_core.answers.equivalence import Classes, KeyEquivalence
from scaffolding_core.answers.exact import Exact, canonical
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.numeric import QuantityClasses
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.quantity import quantity_key
from scaffolding_core.answers.tool_calls import Calls
from scaffolding_core.answers.value import bare, value_key

__all__ = ["Normalised", "text_key"]

_LINE_MARK = pattern(r"^\s{0,8}(?:#{1,6}|[-*+•]|>)\s+", re.MULTILINE)
_LIST_NUMBER = pattern(r"^\s{0,8}\(?(\d{1,3})[.)]\s+", re.MULTILINE)
_COMMA = pattern(
    r"(?<=[^\W\d]),\s?(?:and\s)?(?=[^\W\d])|(?<=[^\W\d])\s(?:and|&)\s(?=[^\W\d])|(?<=\.),\s(?=[^\W\d])"
)
# Names in code, paths, addresses, options of commands, and units such as mW and MW.
_CASE_COUNTS = pattern(r"[a-z][A-Z]|\w_\w|[/\\=<>{}\[\]#@`|]|\s-{1,2}[a-zA-Z]\b|\w\(|\d\s?[a-zA-ZµμΩ]{1,4}\Z")
# As text in a structure, `007` is no number.
_IDENTIFIER = pattern(r"0\d+|\d+[eE]\d+|\d{17,}")
# A factorial keeps its mark.
_EXCLAIMED = pattern(r"(?<=[^\W\d_]{2})!{1,8}$")
_REMEMBERED = 256
_LONG, _LONGEST = 10_000, 100_000
_SHORT, _WORD = 60, 64


class Normalised(KeyEquivalence):
    """Values are the same if they are equal, text without case, white space, markup and punctuation at its ends.

    Numbers are read as `Numeric` reads them, in digits or in words; days and times, lists and sets of values, and
    formulas are the same however they are spelt; so are `(B)`, `b`, `Option B` and `B) Paris`, and `Paris`,
    `**paris.**` and `\\text{Paris}`. Nothing is converted or calculated. Structures are compared value by value,
    code and tool calls to the letter. In text, names in code, paths and addresses keep their case. Text of more
    than 100,000 characters is the same only to the letter.
    """

    costly = False

    def key(self, answer: Answer) -> Hashable:
        """The value's key, the bare text, or the structure of these."""
        if isinstance(answer, Code):
            return code_key(answer)
        if isinstance(answer, str):
            # A vote meets the same few short answers again and again.
            return _remembered(answer) if len(answer) <= _REMEMBERED else _key(answer)
        return Exact().key(answer) if isinstance(answer, Calls) else canonical(answer, _leaf)

    def classes(self) -> Classes:
        """Empty classes, for one request."""
        return QuantityClasses(self.key, costly=self.costly)


def text_key(text: str) -> str:
    """A text without case, white space, markup, citations, marks of lists and punctuation at its ends."""
    if len(text) > _LONG:
        return " ".join(text.split()).casefold() if len(text) <= _LONGEST else text
    said = _LIST_NUMBER.sub(r"\1. ", _LINE_MARK.sub("", text))
    said = " ".join(bare(without_citations(said)).split()) or text.strip()
    # Marks without end behind one letter are put in order one by one.
    said = " ".join(word if len(word) > _WORD else unicodedata.normalize("NFC", word) for word in said.split(" "))
    said = said.replace("’", "'")
    said = said if _CASE_COUNTS.search(said) else said.casefold()
    if len(said) <= _SHORT:
        said = _COMMA.sub(" ", said)
    return _EXCLAIMED.sub("", said)


def _leaf(answer: Answer) -> Hashable:
    if isinstance(answer, str):
        if len(answer) > _REMEMBERED:
            return _key(answer)
        return ("identifier", answer) if _IDENTIFIER.fullmatch(answer) else _remembered(answer)
    if isinstance(answer, bool):
        return str(answer).lower()
    number = quantity_key(answer)
    return Exact().key(answer) if number is None else number


def _key(text: str) -> Hashable:
    if len(text) > _LONG:
        return text_key(text)
    said = bare(text)
    value = value_key(said)
    if value is not None:
        return value
    if choice := choice_in(said):
        return choice.lower()
    return code_key(text) if looks_like_code(text) else text_key(text)


_remembered = functools.lru_cache(maxsize=4096)(_key)
