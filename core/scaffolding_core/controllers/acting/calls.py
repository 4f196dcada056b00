"""The calls of a turn: made valid for a server that reads them later, run at once, and answered one by one."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from scaffolding_core.answers.json_text import read_arguments
from scaffolding_core.answers.tool_arguments import Tools
from scaffolding_core.controller import Race, Steps
from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import AssistantMessage, JsonObject, ToolCall, ToolMessage
from scaffolding_core.messages.tools import lawful_name
from scaffolding_core.tasks import MCPCallTask

__all__ = ["call_key", "call_tasks_run", "is_readable", "tool_message", "with_valid_calls"]


def with_valid_calls(said: AssistantMessage, used: set[str], names: Collection[str]) -> AssistantMessage:
    """The message with calls that every server takes: an id of its own each, and arguments that are a JSON object.

    Arguments that are none become `{}`, since servers read them with the chat; the name of a tool that is not
    there loses the characters that OpenAI refuses.

    Args:
        said: by the model.
        used: ids so far; those of this message are added.
        names: of the tools that are there.
    """
    calls = []
    for call in said.tool_calls or ():
        its_id, number = call.id, len(used)
        while not its_id or its_id in used:
            its_id, number = f"call_{number}", number + 1
        used.add(its_id)
        written = call.arguments if _arguments(call) else "{}"
        calls.append(ToolCall(its_id, call.name if call.name in names else lawful_name(call.name), written))
    if calls == said.tool_calls:
        return said
    return replace(said, tool_calls=calls, original=None)


def is_readable(call: ToolCall) -> bool:
    """Whether its arguments are a JSON object."""
    return _arguments(call) is not None


def call_key(call: ToolCall, tools: Tools) -> str:
    """What equal calls have in common: the tool, and the arguments as it gets them, however they are written.

    Args:
        call: with arguments that are a JSON object.
        tools: what reads the arguments of each tool that is there.
    """
    arguments = _arguments(call)
    if arguments is not None and call.name in tools:
        with suppress(ValueError):  # they do not fit: the tool will say so
            arguments = tools[call.name](arguments)
    return f"{call.name} {json.dumps(arguments, sort_keys=True, default=str)}"


def call_tasks_run(tasks: Sequence[MCPCallTask]) -> Steps[None]:
    """Run calls at the same time; one that fails leaves the others alone, and its task says why.

    Raises:
        ScaffoldingError: what is no failure of a tool: the end of a budget, a role that nobody plays.
    """
    race = Race(tasks, failures="values", all_needed=True)
    while (outcome := (yield race)) is not None:
        if outcome.error is None:
            continue
        if not isinstance(outcome.error, WorkerError):
            raise outcome.error
        task = tasks[outcome.index]
        task.result_str, task.failed = str(outcome.error), True


def tool_message(task: MCPCallTask) -> ToolMessage:
    """What the model reads of a call."""
    text = task.result_str or ""
    return ToolMessage(f"Error: {text}" if task.failed else text, str(task.tool_call_id))


def _arguments(call: ToolCall) -> JsonObject | None:
    try:
        return read_arguments(call.arguments)
    except ValueError:
        return None
