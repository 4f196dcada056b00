"""Json: a JSON value in the text, or a part of it."""

from __future__ import annotations

import json
import re

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, JsonValue

__all__ = ["Json", "last_json"]

_OPENING = re.compile(r"[{\[]")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]")
_TRIES = 200


class Json(Extractor):
    """The last JSON object or array in the text, or what a path leads to in it.

    Args:
        path: such as `answer`, `result.items[0].name`; empty for the whole value.

    Raises:
        InvalidRequestError: a path that cannot be read.
    """

    def __init__(self, path: str = "") -> None:
        self.steps: list[str | int] = []
        position = 0
        while position < len(path):
            match = _STEP.match(path, position)
            if match is None:
                raise InvalidRequestError(f"the path {path!r} must look like 'a.b[0].c'")
            name, index = match.groups()
            self.steps.append(name if name is not None else int(index))
            position = match.end()

    def extract(self, message: AssistantMessage) -> JsonValue:
        """The value; None if there is none, or the path leads nowhere."""
        value = last_json(message.text)
        for step in self.steps:
            if (isinstance(value, dict) and isinstance(step, str)) or (
                isinstance(value, list) and isinstance(step, int)
            ):
                try:
                    value = value[step]  # type: ignore[index]  # the kinds match, as just checked
                except (KeyError, IndexError):
                    return None
            else:
                return None
        return value


def last_json(text: str) -> JsonValue:
    """The last outermost JSON object or array in a text; None if there is none."""
    decoder = json.JSONDecoder()
    found: JsonValue = None
    position = 0
    for _ in range(_TRIES):
        opening = _OPENING.search(text, position)
        if opening is None:
            break
        try:
            found, position = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            position = opening.end()
    return found
