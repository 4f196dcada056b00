"""Tools of LangChain as tools of a method."""

from __future__ import annotations

from collections.abc import Collection

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from langchain_scaffolding.translation.messages import to_core
from scaffolding_core import (
    InvalidRequestError,
    MCPCallTask,
    ToolDescription,
)
from scaffolding_core.adapting import ToolAnswer, fitted, lawful_name, read_arguments, run_either, tool_source

__all__ = ["LangChainTool"]


class LangChainTool:
    """A tool of LangChain, called as LangChain's agents call it: with what it injects, and what it handles.

    Metadata `changes`, or `readOnlyHint` as LangChain's own MCP tools have it, says whether its calls change
    things. An artifact is the task's `structured`.

    Args:
        tool: to call.

    Raises:
        InvalidRequestError: it needs what only an agent can give, such as its state.
    """

    def __init__(self, tool: BaseTool) -> None:
        self.tool = tool
        written = convert_to_openai_tool(tool)["function"]
        if lacking := _of_an_agent(tool, written.get("parameters", {}).get("properties", {})):
            raise InvalidRequestError(
                f"the tool {tool.name!r} needs what only an agent gives it: {', '.join(lacking)}"
            )
        self._description = ToolDescription(
            lawful_name(written["name"]),
            written.get("description", ""),
            written.get("parameters", {}),
            _changes(tool),
        )

    async def tools(self) -> list[ToolDescription]:
        """Its description."""
        return [self._description]

    async def answer(self, task: MCPCallTask) -> ToolAnswer:
        """Call it; an error that it does not handle by itself is an answer too."""
        blocking = None if getattr(self.tool, "func", True) is None else self.tool.invoke
        try:
            arguments = read_arguments(task.args)
            if isinstance(self.tool.args_schema, dict):  # which LangChain does not look at
                arguments = fitted(arguments, self._description.parameters)
        except ValueError as error:
            return ToolAnswer(str(error), failed=True)
        try:
            call = {"type": "tool_call", "id": task.tool_call_id or "", "name": self.tool.name, "args": arguments}
            returned = await run_either(blocking, self.tool.ainvoke, call)
        except Exception as error:
            return ToolAnswer(f"{type(error).__name__}: {error}", failed=True)
        if not isinstance(returned, ToolMessage):
            return ToolAnswer(str(returned))
        content = to_core([returned], wrapped=True)[0].content
        parts = None if isinstance(content, str) or content is None else list(content)
        artifact = returned.artifact if isinstance(returned.artifact, dict | list | str) else None
        return ToolAnswer(str(returned.text), returned.status == "error", parts, artifact)


def _of_an_agent(tool: BaseTool, told: Collection[str]) -> list[str]:
    """The arguments that the tool needs and the model is not told of, beside the id of the call."""
    schema = tool.args_schema
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return []
    return [
        name
        for name, field in schema.model_fields.items()
        if field.is_required() and name not in told and not any(map(_is_of_the_call, field.metadata))
    ]


def _is_of_the_call(mark: object) -> bool:
    return mark is InjectedToolCallId or isinstance(mark, InjectedToolCallId)


def _changes(tool: BaseTool) -> bool | None:
    told = tool.metadata or {}
    if isinstance(told.get("changes"), bool):
        return bool(told["changes"])
    return not told["readOnlyHint"] if isinstance(told.get("readOnlyHint"), bool) else None


tool_source.register(BaseTool, LangChainTool)
