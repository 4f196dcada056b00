"""The verdict of LlamaIndex's evaluators of faithfulness and relevancy: YES or NO, in capitals."""

from __future__ import annotations

import re

from scaffolding_core import Reading

__all__ = ["yes_or_no"]

_WORD = re.compile(r"(?<![\w/])(YES|NO)(?![\w/])")
_BOTH = re.compile(r"YES ?/ ?NO")
# NO is a gas, too.
_BEGINS = re.compile(
    r"\W{0,8}(?:YES|NO(?=\W{0,4}(?:[.,;:!\n–—-]|$|\s(?:because|since|as|the|it|this|there|not|none|nothing)\b)))"
)
_ENDS = re.compile(r"(?:[.:,–—-]|\n|\b(?:so|therefore|thus|hence|is|be|with|answer))\W{1,8}(?:YES|NO)\W{0,8}$")
_LOOKED_AT = 20_000


def yes_or_no(text: str) -> Reading | None:
    """The word, where a text begins or ends with it, and with it alone; None for any other text."""
    if ("YES" not in text and "NO" not in text) or len(text) > _LOOKED_AT:
        return None
    said = _BOTH.sub("", text).strip()
    words = set(_WORD.findall(said))
    if len(words) != 1 or not (_BEGINS.match(said) or _ENDS.search(said)):
        return None
    return Reading(words.pop(), "yes or no")
