"""Structure: an object with named fields, wherever the message holds it."""

from __future__ import annotations

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.json_answer import Json
from scaffolding_core.answers.json_text import read_json
from scaffolding_core.messages import AssistantMessage, JsonObject

__all__ = ["Structure"]

_JSON = Json()


class Structure(Extractor):
    """The arguments of the message's only tool call, or the last JSON object in its text."""

    costly = False

    how = "structure"

    def extract(self, message: AssistantMessage) -> JsonObject | None:
        """The object; None if there is none, or the message calls several tools."""
        if not message.tool_calls:
            found = _JSON.extract(message)
            return found if isinstance(found, dict) else None
        if len(message.tool_calls) > 1:
            return None
        try:
            arguments = read_json(message.tool_calls[0].arguments)
        except ValueError:
            return None
        return arguments if isinstance(arguments, dict) else None
