"""Json: a JSON value in the text, or a part of it."""

from __future__ import annotations

import re

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.json_text import json_values
from scaffolding_core.answers.thoughts import behind_thoughts
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, JsonValue

__all__ = ["Json"]

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?\d{1,9})\]")


class Json(Extractor):
    """The last JSON object in the text, fenced or not, or what a path leads to in the last that has it.

    Where there is no object, the last array: after an object, `[1]` is more often a reference than an answer.

    Args:
        path: such as `answer`, `result.items[0].name`; empty for the whole value.

    Raises:
        InvalidRequestError: a path that cannot be read.
    """

    costly = False

    def __init__(self, path: str = "") -> None:
        self.how = f"json:{path}" if path else "json"
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
        values = json_values(behind_thoughts(message.text) or "")
        objects_last = sorted(values, key=lambda value: isinstance(value, dict))
        for value in reversed(objects_last):
            part = self._part(value)
            if part is not None:
                return part
        return None

    def _part(self, value: JsonValue) -> JsonValue:
        for step in self.steps:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
                value = value[step]
            else:
                return None
        return value
