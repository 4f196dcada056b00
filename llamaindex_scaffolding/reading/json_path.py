"""The paths that LlamaIndex's JSONQueryEngine would look up."""

from __future__ import annotations

import re

from scaffolding_core import Reading
from scaffolding_core.adapting import Code

__all__ = ["json_path"]

_MARKED = re.compile(r"JSON ?Path:\s{1,8}(\S.{0,2000})")
_BARE = re.compile(
    r"\s{0,100}(\$(?:\.{1,2}[A-Za-z_*@'\"\[]|\[[\d'\"?*(:-])(?:[^$,\n]|,(?:\s{0,8}\$)?){0,2000})\s{0,100}"
)


def json_path(text: str) -> Reading | None:
    """The paths behind `JSONPath:`, or those that the whole text is; None if there are none."""
    found = _MARKED.search(text) or _BARE.fullmatch(text)
    if found is None:
        return None
    return Reading(Code(", ".join(path.strip() for path in found[1].split(","))), "JSONPath")
