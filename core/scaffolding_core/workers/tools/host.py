"""ToolHost: a worker that plays the role `tools`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

from scaffolding_core.messages import ToolDescription
from scaffolding_core.tasks import MCPCallTask, Task, ToolListTask
from scaffolding_core.worker import TaskHandler, Worker
from scaffolding_core.workers.tools.answer import ToolAnswer
from scaffolding_core.workers.tools.once import OnceCalls

__all__ = ["ToolHost", "ToolSource"]


@runtime_checkable
class ToolSource(Protocol):
    """Tools of one kind: functions, servers, or those of another library."""

    async def tools(self) -> list[ToolDescription]:
        """What a model may call, as a `ChatTask` takes it."""

    async def answer(self, task: MCPCallTask) -> ToolAnswer:
        """What the tool answers that a task calls; what the model did wrong is an answer too."""


class ToolHost(Worker):
    """Tells which tools there are, and calls them; calls of one request that share `once` run once."""

    def __init__(self) -> None:
        self._once = OnceCalls()

    @abstractmethod
    async def tools(self) -> list[ToolDescription]:
        """What a model may call, as a `ChatTask` takes it."""

    @abstractmethod
    async def answer(self, task: MCPCallTask) -> ToolAnswer:
        """What the tool answers that a task calls; what the model did wrong is an answer too."""

    async def _call(self, task: MCPCallTask) -> None:
        (await self._once.answer(task, self.answer)).hand_over(task)

    async def _list(self, task: ToolListTask) -> None:
        task.tools = await self.tools()

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {MCPCallTask: _call, ToolListTask: _list}

    async def on_scope_end(self, scope_id: str) -> None:
        """Forget the calls of a request that ended."""
        self._once.forget(scope_id)
