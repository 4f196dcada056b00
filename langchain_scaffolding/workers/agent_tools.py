"""Tools of an `MCPWorker`, or of another source, as tools of LangChain."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from scaffolding_core import MCPCallTask, ToolDescription
from scaffolding_core.adapting import ToolSource

__all__ = ["agent_tools"]


async def agent_tools(source: ToolSource) -> list[BaseTool]:
    """The tools of a source, for an agent or `bind_tools`; they are called with `ainvoke`.

    A call that fails at the tool is a tool message with status `error`, which the model reads; a server that
    cannot be reached is an error. Data that a tool gives beside its text is the message's artifact. Whether a tool
    changes things stands in its metadata, as `changes`, where its server says so.

    Cost: one request for the list of tools, and one for each call.

    Args:
        source: an `MCPWorker`, or a `ToolsWorker`; it stays its owner's to close.

    Raises:
        WorkerError: no server can be reached.
    """
    return [_tool(source, description) for description in await source.tools()]


class _SourceTool(StructuredTool):
    """Hands over each argument, also one that LangChain has a use of its own for, such as `config`."""

    async def _arun(self, /, *args: Any, **arguments: Any) -> Any:  # Any: as LangChain types them
        assert self.coroutine is not None
        return await self.coroutine(*args, **arguments)


def _tool(source: ToolSource, description: ToolDescription) -> BaseTool:
    async def call(**arguments: Any) -> tuple[Any, Any]:  # Any: as LangChain types content and artifact
        task = MCPCallTask(tool_name=description.name, args=json.dumps(arguments))
        answer = await source.answer(task)
        if answer.failed:
            raise ToolException(answer.text)
        return answer.parts or answer.text, answer.structured

    written: Any = description.to_dict()["function"]  # JSON
    return _SourceTool(
        name=description.name,
        description=description.description,
        args_schema=written["parameters"],
        coroutine=call,
        response_format="content_and_artifact",
        handle_tool_error=True,
        metadata={} if description.changes is None else {"changes": description.changes},
    )
