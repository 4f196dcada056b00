"""Acceptance: what whoever acts on an answer accepts, so that no vote goes to what would be refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, Reading
from scaffolding_core.answers.kinds import Answers
from scaffolding_core.answers.refusal import is_refusal
from scaffolding_core.answers.tool_arguments import Tools
from scaffolding_core.answers.tool_calls import ToolCalls
from scaffolding_core.messages import AssistantMessage

__all__ = ["Acceptance", "Accepted"]

_OF_STRUCTURES = ("json", "calls")
"""Kinds that say what counts of a structure."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What whoever acts on the answers of a task accepts; where nothing is said, anything.

    Args:
        tools: what reads the arguments of each tool; None where the tools are not known.
        structure: finds the structure that an answer must be, as whoever asked for it reads it; None where it may
            be any text.
    """

    tools: Tools | None = None
    structure: Extractor | None = None


class Accepted(Extractor):
    """Answers of a kind, of messages that are accepted; all others abstain.

    With a kind by name, a message that calls tools is read as its calls, and a structure that was asked for is the
    answer, all of it, whatever the kind says of texts; the kinds `json` and `calls` say which of it counts. An
    extractor of one's own reads whatever is accepted.

    Args:
        answers: the kind.
        acceptance: what is accepted.
    """

    def __init__(self, answers: Answers, acceptance: Acceptance) -> None:
        extractor, tools = answers.extractor, acceptance.tools
        self.extractor = extractor if tools is None else extractor.with_tools(tools)
        self.costly = extractor.costly
        self._kind = answers.kind
        self._tools = tools
        self._structure = acceptance.structure
        self._calls = self.extractor if isinstance(self.extractor, ToolCalls) else ToolCalls(tools=tools)
        self._any_calls = ToolCalls(tools=tools)

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The answer; None if there is none that is accepted."""
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """The answer, and how it was read."""
        told = self.before(message)
        return told if isinstance(told, Reading) else self.extractor.read(told)

    def before(self, message: AssistantMessage) -> Reading | AssistantMessage:
        """What is read of a message without the extractor, or else what the extractor is to read."""
        if message.tool_calls and (self._structure is None or self._tools is not None):
            if self._kind:
                return self._calls.read(message)
            return message if self._any_calls.read(message).how else Reading(None)
        if self._structure is None:
            return message
        found = self._structure.extract(message)
        if found is None:
            return Reading(None, REFUSAL if is_refusal(message) else "")
        if not self._kind:
            return message
        if self._kind not in _OF_STRUCTURES:
            return Reading(found, "structure")
        return self._shown(message, json.dumps(found, default=str))

    def _shown(self, message: AssistantMessage, structure: str) -> AssistantMessage:
        """The structure as a kind reads it: as the call that it came by, or as text."""
        if isinstance(self.extractor, ToolCalls) and message.tool_calls:
            return AssistantMessage(None, None, [replace(message.tool_calls[0], arguments=structure)])
        return AssistantMessage(structure)
