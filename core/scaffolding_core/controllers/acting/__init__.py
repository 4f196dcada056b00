"""Methods that act: models that call tools."""

from scaffolding_core.controllers.acting.react import ReActController
from scaffolding_core.controllers.acting.tool_loop import ToolLoopController

__all__ = ["ReActController", "ToolLoopController"]
