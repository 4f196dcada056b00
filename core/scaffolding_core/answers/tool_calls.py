"""ToolCalls: the tools that the model wants called."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Self

from scaffolding_core.answers.counted_fields import CountedFields
from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.json_text import read_arguments
from scaffolding_core.answers.tool_arguments import Tools
from scaffolding_core.messages import AssistantMessage, JsonObject, ToolCall

__all__ = ["Calls", "ToolCalls"]


class Calls(list[list[object]]):
    """Tool calls as an answer: the name and the arguments of each, in a fixed order."""


class ToolCalls(Extractor):
    """The tool calls of a message as name and arguments, in a fixed order; their ids do not count.

    Where the tools are known, arguments are read as a tool will get them: `"5"` is 5 to a tool that takes a whole
    number, and what the tool fills in by itself does not count, whether it was written or left out.

    A call that could not be carried out makes the message abstain: of a tool that does not exist, or with
    arguments that are no JSON object or that the tool refuses.

    Args:
        only: names of the arguments that count; None for all. One within another is named by both, as in
            `buyer.name`. A call that has none of them counts whole.
        ignore: names of arguments that do not count.
        tools: what reads the arguments of each tool; None takes those that the request tells.

    Raises:
        InvalidRequestError: names that are none.
    """

    costly = False

    how = "calls"

    def __init__(
        self, only: Sequence[str] | None = None, ignore: Sequence[str] = (), *, tools: Tools | None = None
    ) -> None:
        self._counted = CountedFields(only, ignore)
        self.tools = tools

    def with_tools(self, tools: Tools) -> Self:
        """The same, for a message that may call these tools, unless it was given others."""
        if self.tools is not None:
            return self
        new = copy.copy(self)
        new.tools = tools
        return new

    def extract(self, message: AssistantMessage) -> Calls | None:
        """The calls; None if there are none, or one could not be carried out."""
        if not message.tool_calls:
            return None
        calls = Calls()
        for call in message.tool_calls:
            arguments = self._arguments(call)
            if arguments is None:
                return None
            calls.append([call.name, self._counted.of(arguments)])
        # Parallel calls have no order of their own.
        calls.sort(key=lambda call: json.dumps(call, sort_keys=True, default=str))
        return calls

    def _arguments(self, call: ToolCall) -> JsonObject | None:
        try:
            arguments = read_arguments(call.arguments)
            return arguments if self.tools is None else self.tools[call.name](arguments)
        except (KeyError, ValueError):
            return None
