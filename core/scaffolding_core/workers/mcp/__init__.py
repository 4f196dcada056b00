"""Tools over the Model Context Protocol."""

from scaffolding_core.workers.mcp.connection import Connection
from scaffolding_core.workers.mcp.server import HttpServer, StdioServer
from scaffolding_core.workers.mcp.tool_worker import ToolWorker
from scaffolding_core.workers.mcp.worker import MCPWorker
from scaffolding_core.workers.tools import ToolAnswer

__all__ = ["Connection", "HttpServer", "MCPWorker", "StdioServer", "ToolAnswer", "ToolWorker"]
