"""What a vote compares unless it is told otherwise."""

from __future__ import annotations

from scaffolding_core.answers.boxed import Boxed
from scaffolding_core.answers.extractor import Answer, Extractor, FirstOf
from scaffolding_core.answers.number import LastNumber
from scaffolding_core.answers.stated import Stated
from scaffolding_core.answers.tool_calls import ToolCalls
from scaffolding_core.answers.whole_text import WholeText
from scaffolding_core.messages import AssistantMessage

__all__ = ["default_extractor"]


class _Default(Extractor):
    def __init__(self) -> None:
        self._from_text = FirstOf(Boxed(), Stated(), LastNumber(), WholeText())
        self._from_calls = ToolCalls()

    def extract(self, message: AssistantMessage) -> Answer | None:
        if message.tool_calls:
            return self._from_calls.extract(message)
        return self._from_text.extract(message)


_DEFAULT = _Default()


def default_extractor() -> Extractor:
    r"""What a vote compares unless it is told otherwise.

    For a message that calls tools, the calls: text beside them is talk, and a message with an invalid call
    abstains. For a text, the most deliberate statement of an answer there is: the last `\boxed{}`, else what
    follows the last "the answer is" or `####`, else the last number, else the whole text.
    """
    return _DEFAULT
