"""Step: what an agent would do next, or else the answer that a kind reads."""

from __future__ import annotations

from llamaindex_scaffolding.reading.component_text import ComponentText
from llamaindex_scaffolding.reading.executed_code import executed_code
from llamaindex_scaffolding.reading.react_step import ReActStep
from scaffolding_core import Answer, AssistantMessage, Extractor, Reading, ToolCalls
from scaffolding_core.adapting import Calls, Tools

__all__ = ["Step"]

_LONGEST = 100_000
"""Characters of a text that may be a step."""


class Step(Extractor):
    """The tools that a message calls, the code it would have executed, or the action of its ReAct step.

    Any other message, and what a ReAct step answers, is read as the other extractor reads it.

    Args:
        otherwise: reads what is no step; `ComponentText` where it is left out.
        calls: reads tool calls.
        told: what reads the input of each tool that the prompt tells of, and that is called in texts; None where
            it tells of none.
    """

    def __init__(
        self, otherwise: Extractor | None = None, calls: Extractor | None = None, told: Tools | None = None
    ) -> None:
        self._otherwise = ComponentText() if otherwise is None else otherwise
        self._calls = ToolCalls() if calls is None else calls
        self._react = ReActStep(self._otherwise, told)
        self.costly = self._otherwise.costly

    def with_tools(self, tools: Tools) -> Step:
        """The same, for a message that may call these tools."""
        return Step(self._otherwise.with_tools(tools), self._calls.with_tools(tools), self._react.tools)

    def extract(self, message: AssistantMessage) -> Answer | None:
        """What is done, or the answer; None if there is neither."""
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """What is done, or the answer as the other extractor read it."""
        text = message.text
        if len(text) > _LONGEST:
            return (self._calls if message.tool_calls else self._otherwise).read(message)
        code = executed_code(text)
        if not message.tool_calls:
            return code or self._react.read(message)
        called = self._calls.read(message)
        if code is None or not isinstance(called.answer, Calls) or not isinstance(code.answer, Calls):
            return called
        return Reading(Calls([*code.answer, *called.answer]), code.how)
