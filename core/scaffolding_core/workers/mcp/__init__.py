"""Tools over the Model Context Protocol."""

from scaffolding_core.workers.mcp.answer import ToolAnswer
from scaffolding_core.workers.mcp.arguments import read_arguments
from scaffolding_core.workers.mcp.connection import Connection
from scaffolding_core.workers.mcp.per_loop import PerLoop
from scaffolding_core.workers.mcp.worker import MCPWorker

__all__ = ["Connection", "MCPWorker", "PerLoop", "ToolAnswer", "read_arguments"]
