"""The calls of a turn: made valid for a server that reads them later, run at once, and answered one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from scaffolding_core.controller import Race, Steps
from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import AssistantMessage, ToolCall, ToolMessage
from scaffolding_core.tasks import MCPCallTask

__all__ = ["call_key", "call_tasks_run", "is_readable", "tool_message", "with_valid_calls"]


def with_valid_calls(said: AssistantMessage, used: set[str]) -> AssistantMessage:
    """The message with calls that every server takes: an id of its own each, and arguments that are a JSON object.

    Arguments that are none become `{}`, since servers read them with the chat.

    Args:
        said: by the model.
        used: ids so far; those of this message are added.
    """
    calls = []
    for call in said.tool_calls or ():
        its_id, number = call.id, len(used)
        while not its_id or its_id in used:
            its_id, number = f"call_{number}", number + 1
        used.add(its_id)
        written = call.arguments if call.arguments.strip() and is_readable(call) else "{}"
        calls.append(ToolCall(its_id, call.name, written))
    if calls == said.tool_calls:
        return said
    return replace(said, tool_calls=calls, original=None)


def is_readable(call: ToolCall) -> bool:
    """Whether its arguments are a JSON object."""
    return isinstance(_arguments(call), dict)


def call_key(call: ToolCall) -> str:
    """What equal calls have in common: the tool, and the arguments whatever their order and spacing."""
    return f"{call.name} {json.dumps(_arguments(call), sort_keys=True)}"


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


def _arguments(call: ToolCall) -> object:
    try:
        return json.loads(call.arguments) if call.arguments.strip() else {}
    except ValueError:
        return None
