"""What a model writes that acts by text: a thought, then an action and its input, or the final answer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from scaffolding_core.messages import JsonObject, JsonValue, ToolCall

__all__ = ["OBSERVATION", "final_answer", "instructions", "written_call"]

OBSERVATION = "Observation:"

_ACTION = re.compile(
    r"^[ \t*]*Action[ \t*]*:[ \t*]*(?P<name>[^\n]+)\n+[ \t*]*Action Input[ \t*]*:[ \t*]*(?P<input>.*)", re.M | re.S
)
_FINAL = re.compile(r"^[ \t*]*Final Answer[ \t*]*:[ \t*]*(?P<answer>.*)", re.M | re.S)
_FENCE = re.compile(r"^```\w*\n(?P<inside>.*?)\n?```", re.S)

_INSTRUCTIONS = """Answer as well as you can. You can use these tools:

{tools}

Write in this form:

Thought: what to do next
Action: the tool to use, one of: {names}
Action Input: its arguments, as a JSON object
Observation: what the tool answers; it is given to you

Thought, Action, Action Input and Observation may be repeated. When you know the answer, write:

Thought: I know the answer
Final Answer: the answer"""


def instructions(tools: Sequence[JsonObject]) -> str:
    """What the model is told.

    Args:
        tools: the functions of OpenAI's shape.
    """
    lines = (f"{tool['name']}: {tool.get('description') or ''} Arguments: {_schema(tool)}" for tool in tools)
    return _INSTRUCTIONS.format(tools="\n".join(lines), names=", ".join(str(tool["name"]) for tool in tools))


def written_call(text: str, tools: Sequence[JsonObject]) -> ToolCall | None:
    """The call that a text asks for first; None where it asks for none, or answers before.

    An input that is no JSON object is the value of the tool's only argument, where it has just one.
    """
    found, final = _ACTION.search(text), _FINAL.search(text)
    if found is None or (final is not None and final.start() < found.start()):
        return None
    name = found["name"].strip("`*\"' []")
    given = found["input"].partition(f"\n{OBSERVATION}")[0].strip()
    fenced = _FENCE.match(given)
    given = fenced["inside"].strip() if fenced else given
    return ToolCall("", name, _as_object(given, next((tool for tool in tools if tool["name"] == name), {})))


def final_answer(text: str) -> str | None:
    """The answer that a text gives; None where it gives none."""
    found = _FINAL.search(text)
    return found["answer"].strip() if found else None


def _as_object(given: str, tool: JsonObject) -> str:
    try:
        value, _ = json.JSONDecoder().raw_decode(given)  # what follows it is talk
    except (ValueError, RecursionError):
        value = given.strip("\"'")
    if isinstance(value, dict):
        return json.dumps(value)
    names = list(_properties(tool))
    return json.dumps({names[0]: value}) if len(names) == 1 and value != "" else given


def _properties(tool: JsonObject) -> JsonObject:
    parameters = tool.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    return properties if isinstance(properties, dict) else {}


def _schema(tool: JsonObject) -> str:
    shown: JsonValue = tool.get("parameters") or {}
    return json.dumps(shown, ensure_ascii=False)
