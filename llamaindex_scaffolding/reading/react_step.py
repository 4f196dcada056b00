"""ReActStep: what a step of LlamaIndex's ReActAgent does, out of the text that its model wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping

import dirtyjson

from llamaindex_scaffolding.reading.explanations import arguments_without_explanations
from scaffolding_core import AssistantMessage, Extractor, default_extractor
from scaffolding_core.answers import Answer, Reading
from scaffolding_core.answers.json_text import read_json
from scaffolding_core.answers.tool_calls import Calls

__all__ = ["ReActStep", "is_react_step"]

_ACTION = re.compile(r"\nAction: ([^\n() ]+)")
_ACTION_LINE = re.compile(r"^Action:", re.MULTILINE)
_INPUT = "\nAction Input: "
_PAIR = re.compile(r'"(\w+)":\s*"([^"]*)"')
_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
_LENIENT = 8192
"""Characters of an action's input that are read leniently: about 3 ms."""


class ReActStep(Extractor):
    """The tool that a ReAct step calls, with its input; or what its final answer answers.

    A step is read as the agent's own `ReActOutputParser` reads it, wherever in the text it stands: behind a
    preamble, a fence or thoughts. Its thoughts do not count, since each sample words them anew, nor whether there
    are any. A step whose action the agent could not run abstains. Any other message is read as the other extractor
    reads it.

    Args:
        otherwise: reads final answers and whatever is no step; `default_extractor()` where it is left out.
    """

    def __init__(self, otherwise: Extractor | None = None) -> None:
        self.otherwise = default_extractor() if otherwise is None else otherwise
        self.costly = self.otherwise.costly

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The call, as `ToolCalls` gives it, or the answer; None if there is neither."""
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """The call, or the answer as the other extractor read it."""
        text = message.text
        if message.tool_calls or not is_react_step(text):
            return self.otherwise.read(message)
        action, answer = text.find("Action:"), text.find("Answer:")
        if action >= 0 and not 0 <= answer < action:
            call = _call(f"\n\n{text}" if _ACTION.match(f"\n{text}") else text)
            return Reading(None) if call is None else Reading(call, "ReAct action")
        said = text[text.find("Answer:", text.find("Thought:")) + len("Answer:") :]
        return self.otherwise.read(AssistantMessage(said.strip()))


def is_react_step(text: str) -> bool:
    """Whether a text thinks and calls an action or answers, or begins with an action and its input."""
    thought, action, answer = text.find("Thought:"), text.find("Action:"), text.find("Answer:")
    if action >= 0 and not 0 <= answer < action:
        if thought < 0:
            return text.startswith("Action:") and _INPUT in text
        return _INPUT.strip() in text or _ACTION_LINE.search(text) is not None
    return 0 <= thought < text.find("Answer:", thought)


def _call(text: str) -> Calls | None:
    """The call of the action that `ReActOutputParser` finds, in one pass, whatever the text."""
    end = text.rfind("}")
    last_input = text.rfind(_INPUT, 0, max(0, text.rfind("{", 0, max(0, end))))
    named = [found for found in _ACTION.finditer(text, 1) if found.start() < last_input]
    if not named:
        return None
    # The parser's pattern takes the first action behind a thought that begins the text, else the last.
    begins = text.lstrip().startswith("Thought: ")
    action = named[0 if begins else -1]
    if begins and not text[: action.start()].lstrip().removeprefix("Thought: ").strip("\n"):
        return None  # the parser breaks on an empty thought
    opening = text.find("{", text.find(_INPUT, action.end()) + len(_INPUT))
    arguments = _read(text[opening : end + 1])
    return (
        None if arguments is None else Calls([[action[1], arguments_without_explanations(action[1], arguments)]])
    )


def _read(text: str) -> dict[str, object] | None:
    try:
        value: object = read_json(text)
    except ValueError:
        value = _read_leniently(text) if len(text) <= _LENIENT else None
    return dict(value) if isinstance(value, Mapping) else None


def _read_leniently(text: str) -> object:
    """What the agent makes of broken JSON; None where nothing of it is left."""
    try:
        return dirtyjson.loads(text)
    except Exception:  # whatever it raises, the agent reads on
        return dict(_PAIR.findall(_QUOTE.sub('"', text))) or None
