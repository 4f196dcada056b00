"""Tools over the Model Context Protocol."""

from scaffolding_core.workers.mcp.answer import ToolAnswer
from scaffolding_core.workers.mcp.connection import Connection
from scaffolding_core.workers.mcp.tool_worker import ToolWorker
from scaffolding_core.workers.mcp.worker import MCPWorker

__all__ = ["Connection", "MCPWorker", "ToolAnswer", "ToolWorker"]
