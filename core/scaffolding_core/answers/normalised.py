"""Normalised: text without what does not matter, numbers by their value."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Hashable

from scaffolding_core.answers.equivalence import Classes, KeyEquivalence
from scaffolding_core.answers.exact import Exact, canonical
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.numeric import QuantityClasses
from scaffolding_core.answers.quantity import WithUnit, quantity_key
from scaffolding_core.answers.tool_calls import Calls

__all__ = ["Normalised"]

_WRAPPERS = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|boxed|fbox)\s?\{([^{}]{0,400})\}")
_MARKUP = re.compile(r"\\[,;!:()\[\]]|\\(?:left|right|displaystyle)(?![a-zA-Z])|\$")
_SPACE = re.compile(r"(?:\s|\\ )+")
# With more behind the letter it must be the only one: `(a) 5 (b) 6` is no choice.
_CHOICE = re.compile(
    r"\(?([a-z])\)|(?:option |choice |answer )?\(?([a-hj])\)(?: (?!.*[a-z]\)).{0,200})?"
    r"|(?:option|choice|answer) ([a-z])"
)
_CLOCK = re.compile(r"0?(\d{1,2}:\d{2}(?::\d{2})?)\s?([ap])\.?\s?m\.?")
# A factorial keeps its mark.
_EXCLAIMED = re.compile(r"(?<=[^\W\d_]{2})!{1,8}$")
_AROUND = " *_`\"'“”‘’"
_REMEMBERED = 256


class Normalised(KeyEquivalence):
    """Numbers are the same by value, text without case, white space, markup and punctuation at its ends.

    Numbers are read as `Numeric` reads them. `Paris`, `**paris.**` and `\\text{Paris}` are one answer, so are
    `(B)`, `b`, `Option B` and `B) Paris`. Structures are compared value by value, where units do not count, tool
    calls to the letter: what a tool is given matters in every letter.
    """

    def key(self, answer: Answer) -> Hashable:
        """The number with its unit, the bare text, or the structure of these."""
        if isinstance(answer, str):
            return _normalised_text(answer)
        return Exact().key(answer) if isinstance(answer, Calls) else canonical(answer, _normalised)

    def classes(self) -> Classes:
        """Empty classes, for one request."""
        return QuantityClasses(self.key)


def _normalised(answer: Answer) -> Hashable:
    if isinstance(answer, str):
        key = _normalised_text(answer)
        return key.bare if isinstance(key, WithUnit) else key
    if isinstance(answer, bool):
        return str(answer).lower()
    number = quantity_key(answer)
    return Exact().key(answer) if number is None else number


def _normalised_text(text: str) -> Hashable:
    # A vote meets the same few short answers again and again.
    return _remembered(text) if len(text) <= _REMEMBERED else _bare(text)


def _bare(text: str) -> Hashable:
    number = quantity_key(text)
    if number is not None:
        return number
    bare = _SPACE.sub(" ", _MARKUP.sub("", _WRAPPERS.sub(r"\1", text)))
    bare = bare.strip(_AROUND).rstrip(".,;:?。 ").strip(_AROUND)
    bare = _EXCLAIMED.sub("", unicodedata.normalize("NFC", bare).casefold())
    if clock := _CLOCK.fullmatch(bare):
        return f"{clock[1]} {clock[2]}m"
    choice = _CHOICE.fullmatch(bare)
    if choice:
        return choice[1] or choice[2] or choice[3]
    number = quantity_key(bare)
    return bare if number is None else number


_remembered = functools.lru_cache(maxsize=4096)(_bare)
