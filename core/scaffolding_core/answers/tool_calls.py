"""ToolCalls: the tools that the model wants called."""

from __future__ import annotations

import json

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.json_text import read_json
from scaffolding_core.messages import AssistantMessage

__all__ = ["Calls", "ToolCalls"]


class Calls(list[list[object]]):
    """Tool calls as an answer: the name and the arguments of each, in a fixed order."""


class ToolCalls(Extractor):
    """The tool calls of a message as name and arguments, in a fixed order; their ids do not count.

    Calls whose arguments are no JSON object make the message abstain: they could not be run.
    """

    def extract(self, message: AssistantMessage) -> Calls | None:
        """The calls; None if there are none, or one is invalid."""
        if not message.tool_calls:
            return None
        calls = Calls()
        for call in message.tool_calls:
            try:
                arguments = read_json(call.arguments or "{}")
            except ValueError:
                return None
            if not isinstance(arguments, dict):
                return None
            calls.append([call.name, arguments])
        # Parallel calls have no order of their own.
        calls.sort(key=lambda call: json.dumps(call, sort_keys=True))
        return calls
