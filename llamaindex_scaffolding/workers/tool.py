"""Tools of LlamaIndex as tools of a method."""

from __future__ import annotations

from llama_index.core.base.llms.types import ChatMessage, TextBlock
from llama_index.core.tools import BaseTool, ToolOutput, adapt_to_async_tool

from llamaindex_scaffolding.translation.messages import to_core
from scaffolding_core import (
    InvalidRequestError,
    MCPCallTask,
    ToolDescription,
)
from scaffolding_core.adapting import (
    JsonObject,
    ToolAnswer,
    fitted,
    lawful_name,
    read_arguments,
    run_either,
    run_in_thread,
    tool_source,
)

__all__ = ["LlamaIndexTool"]


class LlamaIndexTool:
    """A tool of LlamaIndex: a function, a query engine, a retriever.

    Args:
        tool: to call.

    Raises:
        InvalidRequestError: it needs the context of a workflow.
    """

    def __init__(self, tool: BaseTool) -> None:
        self.tool = adapt_to_async_tool(tool)
        metadata = tool.metadata
        if getattr(tool, "requires_context", False):
            raise InvalidRequestError(
                f"the tool {metadata.get_name()!r} needs a workflow's context: give it to an agent"
            )
        self._description = ToolDescription(
            lawful_name(metadata.get_name()), metadata.description, metadata.get_parameters_dict()
        )

    async def tools(self) -> list[ToolDescription]:
        """Its description."""
        return [self._description]

    async def answer(self, task: MCPCallTask) -> ToolAnswer:
        """Call it; an error that it raises is an answer too."""
        try:
            arguments = fitted(read_arguments(task.args), self._description.parameters)
        except ValueError as error:
            return ToolAnswer(str(error), failed=True)
        try:
            returned: ToolOutput = await run_either(self.tool.call, self.tool.acall, **arguments)
        except Exception as error:
            return ToolAnswer(f"{type(error).__name__}: {error}", failed=True)
        return ToolAnswer(returned.content, returned.is_error, await run_in_thread(_parts, returned))


def _parts(returned: ToolOutput) -> list[JsonObject] | None:
    """What it answered beside text, as OpenAI writes it; None where that is nothing, or has no form there."""
    if all(isinstance(block, TextBlock) for block in returned.blocks):
        return None
    try:
        [message] = to_core([ChatMessage(role="user", blocks=returned.blocks)])
    except InvalidRequestError:
        return None
    return None if message.content is None or isinstance(message.content, str) else list(message.content)


tool_source.register(BaseTool, LlamaIndexTool)
