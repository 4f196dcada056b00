"""Tools of LlamaIndex as tools of a method."""

from __future__ import annotations

from typing import Any

from llama_index.core.tools import BaseTool, ToolOutput, adapt_to_async_tool

from scaffolding_core import MCPCallTask, ScaffoldingError, ToolDescription, ToolsWorker, Worker
from scaffolding_core.adapting import ToolAnswer, read_arguments, run_either

__all__ = ["LlamaIndexTool", "tools_worker"]


def tools_worker(tools: Any) -> Worker:
    """What plays the role `tools`.

    Args:
        tools: a worker; or tools of LlamaIndex, functions and `MCPWorker`s, one or a list. Any: they have no
            common class.

    Raises:
        InvalidRequestError: what is no tool.
    """
    if isinstance(tools, Worker):
        return tools
    given = tools if isinstance(tools, list | tuple) else [tools]
    return ToolsWorker([LlamaIndexTool(tool) if isinstance(tool, BaseTool) else tool for tool in given])


class LlamaIndexTool:
    """A tool of LlamaIndex: a function, a query engine, a retriever.

    Args:
        tool: to call.
    """

    def __init__(self, tool: BaseTool) -> None:
        self.tool = adapt_to_async_tool(tool)
        metadata = tool.metadata
        self._description = ToolDescription(
            metadata.get_name(), metadata.description, metadata.get_parameters_dict()
        )

    async def tools(self) -> list[ToolDescription]:
        """Its description."""
        return [self._description]

    async def answer(self, task: MCPCallTask) -> ToolAnswer:
        """Call it; an error that it raises is an answer too."""
        try:
            returned: ToolOutput = await run_either(self.tool.call, self.tool.acall, **read_arguments(task.args))
        except ScaffoldingError:
            raise
        except Exception as error:
            return ToolAnswer(f"{type(error).__name__}: {error}", failed=True)
        return ToolAnswer(returned.content, returned.is_error)
