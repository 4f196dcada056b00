"""Reading JSON that a model wrote, in bounded time and depth."""

from __future__ import annotations

import json
import re

from scaffolding_core.messages import JsonValue

__all__ = ["json_values", "read_json"]

_DEPTH = 64
"""Levels of nesting that an answer may have; all that walk through it may so do it by recursion."""

_PATIENCE = 2_000_000
"""Characters that failed attempts may cost altogether: about 20 ms."""

# Only what may open JSON: a formula is full of other braces.
_OPENING = re.compile(r'\{(?=\s*["}])|\[(?=\s*[\[{"\]\d\-tfn])')


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def read_json(text: str) -> JsonValue:
    """The value that a text is.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        value: JsonValue = _DECODER.decode(text)
    except RecursionError:
        value = None
    else:
        if _shallow(value, _DEPTH):
            return value
    raise ValueError(f"JSON may be nested {_DEPTH} levels deep")


def json_values(text: str) -> list[JsonValue]:
    """The outermost JSON objects and arrays in a text, in order; none if they are too costly to find."""
    found: list[JsonValue] = []
    position, left = 0, _PATIENCE
    while opening := _OPENING.search(text, position):
        try:
            value, position = _DECODER.raw_decode(text, opening.start())
        except (ValueError, RecursionError) as error:
            position = opening.end()
            left -= _cost(error, opening.start(), len(text))
            if left < 0:
                return []
        else:
            if _shallow(value, _DEPTH):
                found.append(value)
    return found


def _cost(error: Exception, start: int, length: int) -> int:
    stopped = error.pos if isinstance(error, json.JSONDecodeError) else length
    # The decoder also counts the lines before, which is much faster.
    return stopped - start + stopped // 64 + 200


def _shallow(value: JsonValue, levels: int) -> bool:
    items = list(value.values()) if isinstance(value, dict) else value
    return not isinstance(items, list) or (levels > 0 and all(_shallow(item, levels - 1) for item in items))
