"""Tools of LangChain as tools of a method."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from scaffolding_core import MCPCallTask, ScaffoldingError, ToolDescription, ToolsWorker, Worker
from scaffolding_core.adapting import JsonObject, ToolAnswer, read_arguments, run_either

__all__ = ["LangChainTool", "tools_worker"]


def tools_worker(tools: Any) -> Worker:
    """What plays the role `tools`.

    Args:
        tools: a worker; or tools of LangChain, functions and `MCPWorker`s, one or a list. Any: they have no common
            class.

    Raises:
        InvalidRequestError: what is no tool.
    """
    if isinstance(tools, Worker):
        return tools
    given = tools if isinstance(tools, list | tuple) else [tools]
    return ToolsWorker([LangChainTool(tool) if isinstance(tool, BaseTool) else tool for tool in given])


class LangChainTool:
    """A tool of LangChain, called as LangChain's agents call it: with what it injects, and what it handles.

    Metadata `changes`, or `readOnlyHint` as LangChain's own MCP tools have it, says whether its calls change
    things. An artifact is the task's `structured`.

    Args:
        tool: to call.
    """

    def __init__(self, tool: BaseTool) -> None:
        self.tool = tool
        written = convert_to_openai_tool(tool)["function"]
        self._description = ToolDescription(
            written["name"], written.get("description", ""), written.get("parameters", {}), _changes(tool)
        )

    async def tools(self) -> list[ToolDescription]:
        """Its description."""
        return [self._description]

    async def answer(self, task: MCPCallTask) -> ToolAnswer:
        """Call it; an error that it does not handle by itself is an answer too."""
        blocking = None if getattr(self.tool, "func", True) is None else self.tool.invoke
        try:
            arguments = read_arguments(task.args)
            call = {"type": "tool_call", "id": task.tool_call_id or "", "name": self.tool.name, "args": arguments}
            returned = await run_either(blocking, self.tool.ainvoke, call)
        except ScaffoldingError:
            raise
        except Exception as error:
            return ToolAnswer(f"{type(error).__name__}: {error}", failed=True)
        if not isinstance(returned, ToolMessage):
            return ToolAnswer(str(returned))
        is_rich = isinstance(returned.content, list)
        parts = [_part(part) for part in returned.content] if is_rich else None
        artifact = returned.artifact if isinstance(returned.artifact, dict | list | str) else None
        return ToolAnswer(str(returned.text), returned.status == "error", parts, artifact)


def _changes(tool: BaseTool) -> bool | None:
    told = tool.metadata or {}
    if isinstance(told.get("changes"), bool):
        return bool(told["changes"])
    return not told["readOnlyHint"] if isinstance(told.get("readOnlyHint"), bool) else None


def _part(part: str | dict[str, Any]) -> JsonObject:  # Any: a content block of LangChain
    return {"type": "text", "text": part} if isinstance(part, str) else part
