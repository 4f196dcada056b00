"""A server of tools over stdio, for `langchain_mcp_agent.py`: it looks after a few files that it holds itself."""

from __future__ import annotations

try:
    from mcp.server.mcpserver import MCPServer
except ImportError:  # its name before version 2
    from mcp.server.fastmcp import FastMCP as MCPServer
from mcp.types import ToolAnnotations

FILES = {"report.txt": "Sales of 2025", "report-old.txt": "Sales of 2019", "notes.txt": "Call Ann."}

server = MCPServer("files", log_level="ERROR")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def list_files() -> str:
    """List all files."""
    return ", ".join(sorted(FILES))


@server.tool(annotations=ToolAnnotations(readOnlyHint=False, destructiveHint=True))
def delete_file(name: str) -> str:
    """Delete a file for good."""
    return "deleted" if FILES.pop(name, None) is not None else "no such file"


if __name__ == "__main__":
    server.run("stdio")
