"""Normalised: text without what does not matter, numbers by their value."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Hashable
from fractions import Fraction

from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.numeric import number_in

__all__ = ["Normalised", "normalised"]

_WRAPPERS = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox)\s?\{([^{}]{0,400})\}")
_MARKUP = re.compile(r"\\[,;!: ]|\\left|\\right|\\displaystyle|[$*_`\"“”]")
_SPACE = re.compile(r"\s+")


class Normalised(KeyEquivalence):
    """Numbers are the same by value, text without case, white space, markup and punctuation at its ends.

    `1,000`, `1000.0`, `$1000` and `1e3` are one answer, so are `1/2`, `0.5` and `\\frac{1}{2}`; `50%` is
    `50%`, not `0.5`. Structures are compared value by value.
    """

    def key(self, answer: Answer) -> Hashable:
        """The number, or the bare text."""
        if isinstance(answer, str | int | float):
            return normalised(answer)
        return json.dumps(_plain(answer), sort_keys=True, default=str)


def normalised(answer: str | float) -> Hashable:
    """The number that an answer is, or its bare text."""
    return _normalised(str(answer))


@functools.lru_cache(maxsize=4096)  # a vote meets the same few answers again and again
def _normalised(text: str) -> Hashable:
    number = number_in(text)
    if number is not None:
        return _key(number)
    bare = _MARKUP.sub("", _WRAPPERS.sub(r"\1", text))
    bare = _SPACE.sub(" ", bare).strip().strip(".,;:!?").strip().lower()
    number = number_in(bare)
    return bare if number is None else _key(number)


def _key(number: Fraction | tuple[str, Fraction]) -> Hashable:
    """The number in a form that is hashed fast."""
    if isinstance(number, tuple):
        return number[0], number[1].numerator, number[1].denominator
    return number.numerator, number.denominator


def _plain(value: Answer) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(normalised(value)) if isinstance(value, str | int | float) else value
