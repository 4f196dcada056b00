"""What stands behind the label that a prompt ends with, where a model says it again."""

from __future__ import annotations

import re

from scaffolding_core import Reading

__all__ = ["echoed_label"]

_LABEL = re.compile(
    r"[\s*_<#]{0,8}(?:(?:unique |excerpt )?keywords|(?:standalone|condensed|rephrased) question)"
    r"[\s*_>]{0,8}:[\s*_]{0,8}",
    re.I,
)


def echoed_label(text: str) -> Reading | None:
    """The text behind `Keywords:` or `Standalone question:`; None for a text that begins in another way."""
    found = _LABEL.match(text)
    rest = "" if found is None else text[found.end() :].strip()
    return Reading(rest, "whole") if rest else None
