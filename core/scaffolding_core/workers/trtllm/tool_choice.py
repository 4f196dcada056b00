"""What a chat may call, and whether the model has called what it had to."""

from __future__ import annotations

from scaffolding_core.errors import IncompleteResponseError, InvalidRequestError, WorkerError
from scaffolding_core.messages import ToolCall
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["allowed_calls", "check_tool_choice", "missing_call", "offered_tools"]


def offered_tools(task: ChatTask) -> list[dict[str, object]]:
    """The tools that the model is told of: all, the one that is to be called, or none."""
    named = _named(task)
    tools = task.tools_to_dict() if task.tool_choice != "none" else []
    return [tool for tool in tools if named is None or _name_of(tool) == named]


def check_tool_choice(task: ChatTask) -> None:
    """Refuse a choice of a tool that cannot be met.

    Raises:
        InvalidRequestError: it is none, or there is no such tool.
    """
    choice = task.tool_choice
    if choice in (None, "auto", "none"):
        return
    if choice != "required" and _named(task) is None:
        raise InvalidRequestError(
            f"tool_choice must be 'auto', 'none', 'required' or "
            f"{{'type': 'function', 'function': {{'name': ...}}}}, got {choice!r}"
        )
    if not offered_tools(task):
        raise InvalidRequestError(f"tool_choice is {choice!r}, and no such tool is given: give it in tools")


def allowed_calls(task: ChatTask, calls: list[ToolCall]) -> list[ToolCall]:
    """The calls that an answer may have: the first alone where `parallel_tool_calls` is False."""
    return calls[:1] if task.parallel_tool_calls is False else calls


def missing_call(task: GenerationTask) -> WorkerError | None:
    """The error of an answer without the call that was asked for; TensorRT-LLM does not force one."""
    if not isinstance(task, ChatTask) or task.tool_choice in (None, "auto", "none"):
        return None
    offered = {_name_of(tool) for tool in offered_tools(task)}
    if any(call.name in offered for call in task.tool_calls or ()):
        return None
    return IncompleteResponseError(
        f"the model called no tool, though tool_choice is {task.tool_choice!r}: ask again, or allow more tokens"
    )


def _named(task: ChatTask) -> object:
    """The name of the tool that is to be called; None if any may be."""
    choice = task.tool_choice
    function = choice.get("function") if isinstance(choice, dict) else None
    return function.get("name") if isinstance(function, dict) else None


def _name_of(tool: dict[str, object]) -> object:
    function = tool.get("function")
    return function.get("name") if isinstance(function, dict) else None
