"""A server of tools that speaks over stdio: started as a program by whoever uses it."""

import os
import sys

try:
    from mcp.server.mcpserver import Context, Image, MCPServer
except ImportError:  # its name before version 2
    from mcp.server.fastmcp import Context, Image
    from mcp.server.fastmcp import FastMCP as MCPServer
from mcp.types import ToolAnnotations

NOISE = "what a server says to whoever watches it"

server = MCPServer("stdio", log_level="CRITICAL")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def pid() -> int:
    """Tells the number of this process."""
    return os.getpid()


@server.tool(annotations=ToolAnnotations(readOnlyHint=False))
def repeat(text: str, times: int = 1) -> str:
    """Repeats a text."""
    sys.stderr.write(NOISE)
    return text * times


@server.tool(name="notes.read")
def read() -> str:
    """Has a name that OpenAI refuses."""
    return "read"


@server.tool()
def notes_read() -> str:
    """Has nearly the same name."""
    return "another"


@server.tool()
def picture() -> Image:
    """Gives a picture."""
    return Image(data=b"\x89PNG", format="png")


@server.tool()
async def learn(ctx: Context) -> str:
    """Has one more tool from now on."""
    server.add_tool(lambda: "learnt", name="learnt")
    await ctx.session.send_tool_list_changed()
    return "ok"


if __name__ == "__main__":
    server.run("stdio")
