r"""Reading JSON that a model wrote, in bounded time and depth."""

from __future__ import annotations

import json
import re
from typing import Any

from scaffolding_core.answers.pattern import pattern
from scaffolding_core.messages import JsonValue

__all__ = ["json_values", "read_arguments", "read_json", "read_json_leniently"]

_DEPTH = 64
"""Levels of nesting that an answer may have; all that walk through it may so do it by recursion."""

_PATIENCE = 400_000
"""Characters that attempts may cost altogether: about 5 ms."""

_ATTEMPT = 200
"""What an attempt costs by itself, in characters."""

LONGEST = 1_000_000
"""Characters of a text that JSON is looked for in: about 10 ms."""

# Only what may open JSON: a formula is full of other braces.
_OPENING = pattern(r'\{(?=\s*["}])|\[(?=\s*[\[{"\]\d\-tfn])')
_STRING = pattern(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_NO_ESCAPE = pattern(
    r"(?<!\\)((?:\\\\)*)\\(?=[^\"\\/bfnrtu]|[bfrt][a-zA-Z]|u(?![0-9a-fA-F]{4})|n(?:eq?|u|abla|ot|eg|mid)(?![a-z]))"
)
_TRAILING_COMMA = pattern(r",(\s*[}\]])")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_LENIENT = json.JSONDecoder(parse_constant=_refuse, strict=False)


def read_json(text: str) -> JsonValue:
    """The value that a text is.

    Raises:
        ValueError: it is no JSON, nested too deeply, or longer than 1,000,000 characters.
    """
    if len(text) > LONGEST:
        raise ValueError(f"JSON may have {LONGEST} characters")
    return _read(_DECODER, text)


def read_arguments(written: object) -> dict[str, Any]:  # Any: whatever JSON holds
    """The arguments of a tool call, of any length; nothing written is no arguments.

    Args:
        written: a JSON object as text; one that is read already is taken as it is.

    Raises:
        ValueError: it is neither, in a sentence that the model may read.
    """
    try:
        read = _read(_DECODER, written) if isinstance(written, str) and written.strip() else written
    except ValueError as error:
        raise ValueError(f"the arguments are no JSON: {error}") from None
    if read is None or (isinstance(read, str) and not read.strip()):
        return {}
    if not isinstance(read, dict):
        raise ValueError(f"the arguments must be a JSON object, got {written!r}")
    return read


def read_json_leniently(text: str) -> JsonValue:
    r"""The value that a text is meant to be: strings may hold line breaks and LaTeX's backslashes.

    `\frac` is no form feed with `rac` behind it, and a comma too many does no harm.

    Raises:
        ValueError: it is no JSON all the same, nested too deeply, or longer than 1,000,000 characters.
    """
    if len(text) > LONGEST:
        raise ValueError(f"JSON may have {LONGEST} characters")
    if "\\" in text:
        text = _STRING.sub(lambda found: _NO_ESCAPE.sub(r"\1\\\\", found[0]), text)
    try:
        return _read(_LENIENT, text)
    except ValueError:
        return _read(_LENIENT, _TRAILING_COMMA.sub(r"\1", text))


def _read(decoder: json.JSONDecoder, text: str) -> JsonValue:
    try:
        value: JsonValue = decoder.decode(text)
    except RecursionError:
        value = None
    else:
        if _shallow(value, _DEPTH):
            return value
    raise ValueError(f"JSON may be nested {_DEPTH} levels deep")


def json_values(text: str) -> list[JsonValue]:
    """The outermost JSON objects and arrays in a text, in order.

    None if they are too costly to find, or the text is longer than 1,000,000 characters.
    """
    found: list[JsonValue] = []
    position, left = 0, _PATIENCE
    if len(text) > LONGEST:
        return found
    while opening := _OPENING.search(text, position):
        try:
            value, position = _DECODER.raw_decode(text, opening.start())
        except (ValueError, RecursionError) as error:
            position = opening.end()
            left -= _cost(error, opening.start(), len(text))
            if left < 0:
                return []
        else:
            left -= _ATTEMPT
            if left < 0:
                return []
            if _shallow(value, _DEPTH):
                found.append(value)
    return found


def _cost(error: Exception, start: int, length: int) -> int:
    stopped = error.pos if isinstance(error, json.JSONDecodeError) else length
    # The decoder also counts the lines before, which is much faster.
    return stopped - start + stopped // 64 + _ATTEMPT


def _shallow(value: JsonValue, levels: int) -> bool:
    items = list(value.values()) if isinstance(value, dict) else value
    return not isinstance(items, list) or (levels > 0 and all(_shallow(item, levels - 1) for item in items))
