"""ReActStep: what a step of LlamaIndex's ReActAgent does, out of the text that its model wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping

import dirtyjson

from scaffolding_core import AssistantMessage, Extractor, default_extractor
from scaffolding_core.answers import Answer
from scaffolding_core.answers.json_text import read_json
from scaffolding_core.answers.tool_calls import Calls

__all__ = ["ReActStep"]

_ACTION = re.compile(r"Action: ?([^\n() ]+)")
_LENIENT = 8192
"""Characters of an action's input that are read leniently: about 3 ms."""


class ReActStep(Extractor):
    """The tool that a ReAct step calls, with its input; or what its final answer answers.

    Thoughts do not count, since each sample words them anew. Inputs are read as leniently as the agent reads
    them; a step whose action has no input that can be read abstains, since it could not be run. Any other
    message is read as `default_extractor()` reads it.
    """

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The call, as `ToolCalls` gives it, or the answer; None if there is neither."""
        text = message.text
        if message.tool_calls or not text.lstrip().startswith(("Thought:", "Action:")):
            return default_extractor().extract(message)
        action, answer = text.find("Action:"), text.find("Answer:")
        if action >= 0 and not 0 <= answer < action:
            return _call(text[action:])
        said = text[answer + len("Answer:") :] if answer >= 0 else text
        return default_extractor().extract(AssistantMessage(said.strip()))


def _call(step: str) -> Calls | None:
    named = _ACTION.match(step)
    _, _, given = step.partition("Action Input:")
    arguments = _read(given[given.find("{") : given.rfind("}") + 1])
    if named is None or arguments is None:
        return None
    return Calls([[named[1], arguments]])


def _read(text: str) -> dict[str, object] | None:
    try:
        value = read_json(text)
    except ValueError:
        if len(text) > _LENIENT:
            return None
        try:
            value = dirtyjson.loads(text)
        except (ValueError, RecursionError):
            return None
    return dict(value) if isinstance(value, Mapping) else None
