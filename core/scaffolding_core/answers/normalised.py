"""Normalised: text without what does not matter, numbers by their value."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Hashable

from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.exact import Exact, canonical
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.numeric import Number, number_in
from scaffolding_core.answers.tool_calls import Calls

__all__ = ["Normalised"]

_WRAPPERS = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|boxed|fbox)\s?\{([^{}]{0,400})\}")
_MARKUP = re.compile(r"\\[,;!:()\[\]]|\\(?:left|right|displaystyle)(?![a-zA-Z])|\$")
_SPACE = re.compile(r"(?:\s|\\ )+")
_CHOICE = re.compile(r"\(?([a-z])\)")
# A factorial keeps its mark.
_EXCLAIMED = re.compile(r"(?<=[^\W\d_]{2})!{1,8}$")
_AROUND = " *_`\"'“”‘’"
_REMEMBERED = 256


class Normalised(KeyEquivalence):
    """Numbers are the same by value, text without case, white space, markup and punctuation at its ends.

    Numbers are read as `Numeric` reads them. `Paris`, `**paris.**` and `\\text{Paris}` are one answer, so are
    `(B)` and `b`. Structures are compared value by value, tool calls to the letter: what a tool is given
    matters in every letter.
    """

    def key(self, answer: Answer) -> Hashable:
        """The number, the bare text, or the structure of these."""
        if isinstance(answer, str):
            return _normalised_text(answer)
        return Exact().key(answer) if isinstance(answer, Calls) else canonical(answer, _normalised)


def _normalised(answer: Answer) -> Hashable:
    if isinstance(answer, str):
        return _normalised_text(answer)
    if isinstance(answer, bool):
        return str(answer).lower()
    number = number_in(answer)
    return Exact().key(answer) if number is None else _key(number)


def _normalised_text(text: str) -> Hashable:
    # A vote meets the same few short answers again and again.
    return _remembered(text) if len(text) <= _REMEMBERED else _bare(text)


def _bare(text: str) -> Hashable:
    number = number_in(text)
    if number is not None:
        return _key(number)
    bare = _SPACE.sub(" ", _MARKUP.sub("", _WRAPPERS.sub(r"\1", text)))
    bare = bare.strip(_AROUND).rstrip(".,;:?。 ").strip(_AROUND)
    bare = _EXCLAIMED.sub("", unicodedata.normalize("NFC", bare).casefold())
    choice = _CHOICE.fullmatch(bare)
    if choice:
        return choice[1]
    number = number_in(bare)
    return bare if number is None else _key(number)


def _key(number: Number) -> Hashable:
    """The number in a form that is hashed fast."""
    if isinstance(number, tuple):
        return number[0], number[1].numerator, number[1].denominator
    return number.numerator, number.denominator


_remembered = functools.lru_cache(maxsize=4096)(_bare)
