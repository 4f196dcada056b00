"""Tools: functions, and whatever else a model may call."""

from scaffolding_core.workers.tools.answer import ToolAnswer
from scaffolding_core.workers.tools.function_tool import FunctionTool
from scaffolding_core.workers.tools.host import ToolHost, ToolSource
from scaffolding_core.workers.tools.worker import ToolsWorker, tool_source

__all__ = ["FunctionTool", "ToolAnswer", "ToolHost", "ToolSource", "ToolsWorker", "tool_source"]
