"""ToolsWorker: functions and servers as the tools of a method."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import singledispatch

from scaffolding_core.errors import BackendTimeoutError, ClosedError, InvalidRequestError, WorkerError
from scaffolding_core.messages import ToolDescription
from scaffolding_core.messages.tools import lawful_name
from scaffolding_core.tasks import MCPCallTask
from scaffolding_core.worker import told
from scaffolding_core.workers.limits import check_counts, check_seconds
from scaffolding_core.workers.tools.answer import ToolAnswer
from scaffolding_core.workers.tools.function_tool import FunctionTool
from scaffolding_core.workers.tools.host import ToolHost, ToolSource
from scaffolding_core.workers.tools.left_alone import LeftAlone

__all__ = ["ToolsWorker", "tool_source"]

_ADAPTERS = {"langchain_core.tools": "langchain_scaffolding", "llama_index.core.tools": "llamaindex_scaffolding"}
"""Who registers the tools of a library, by where it has them."""


class ToolsWorker(ToolHost):
    """Calls tools: Python functions, and those of servers or other sources, any number together.

    Where two have one name, the first in the list is called. What a tool answers is the task's `result_str`. That
    it failed or was too slow, that there is none of that name, or that its arguments do not fit is the model's to
    read: it stands there too, and `failed` is set. A call is never repeated, since a tool may act.

    Cost: a thread for each call of a function that is not async; see `MCPWorker` for servers.

    Args:
        tools: functions, with annotations and a docstring, where a `FunctionTool` says more of one; `MCPWorker`s,
            which are closed with it; or tools of LangChain and LlamaIndex, where their adapter is imported.
        timeout: seconds for a call; the request's own deadline holds too. A thread cannot be stopped: it runs on.
        max_concurrency: calls at once, over all event loops.

    Raises:
        InvalidRequestError: no tools, or what is none, or a number out of range.
    """

    def __init__(self, tools: Sequence[object], *, timeout: float = 300.0, max_concurrency: int = 256) -> None:
        super().__init__()
        check_seconds(timeout=timeout)
        check_counts(max_concurrency=max_concurrency)
        if not isinstance(tools, list | tuple):
            raise InvalidRequestError(f"ToolsWorker needs a list of tools, got {tools!r}")
        self.sources = [tool_source(tool) for tool in tools]
        if not self.sources:
            raise InvalidRequestError("ToolsWorker needs at least one tool")
        self.timeout = timeout
        self.max_concurrency = max_concurrency
        self._left_alone = LeftAlone()
        self._closed = False

    async def tools(self) -> list[ToolDescription]:
        """What a model may call, as a `ChatTask` takes it; a source that cannot be reached now has none.

        Raises:
            WorkerError: no source can be reached.
            ClosedError: the worker is closed.
        """
        known: dict[str, ToolDescription] = {}
        for tools in await self._listed():
            if not isinstance(tools, WorkerError):
                known.update((tool.name, tool) for tool in tools if tool.name not in known)
        return list(known.values())

    async def answer(self, task: MCPCallTask) -> ToolAnswer:
        """What the tool answers that a task calls; a failure, too, is the model's to read.

        Raises:
            WorkerError: no source that can be reached has it, and one cannot.
            ClosedError: the worker is closed.
        """
        limit = asyncio.timeout_at(self._deadline(task))
        try:
            async with limit:
                source = await self._source(str(task.tool_name))
                if source is None:
                    return ToolAnswer(f"there is no tool named {task.tool_name!r}", failed=True)
                return await source.answer(task)
        except TimeoutError:
            if not limit.expired():
                raise
            raise BackendTimeoutError(f"the tool {task.tool_name!r} did not answer in time: allow more") from None

    async def _source(self, name: str) -> ToolSource | None:
        """The first source that has a tool; None where none has it."""
        listed = await self._listed()
        names = (name, lawful_name(name))
        for source, tools in zip(self.sources, listed, strict=True):
            if not isinstance(tools, WorkerError) and any(tool.name in names for tool in tools):
                return source
        for tools in listed:
            if isinstance(tools, WorkerError):
                raise tools
        return None

    async def _listed(self) -> list[list[ToolDescription] | WorkerError]:
        """The tools of each source, or why it does not tell; all are asked at once.

        Raises:
            WorkerError: none tells.
            ClosedError: the worker is closed.
        """
        if self._closed:
            raise ClosedError("this ToolsWorker is closed: make a new one")
        listed = await asyncio.gather(*map(self._tools_of, range(len(self.sources))))
        failures = [tools for tools in listed if isinstance(tools, WorkerError)]
        if len(failures) == len(listed):
            raise failures[0]
        return listed

    async def _tools_of(self, index: int) -> list[ToolDescription] | WorkerError:
        if (failed := self._left_alone.why(index)) is not None:
            return failed
        try:
            return await self.sources[index].tools()
        except WorkerError as error:
            if len(self.sources) > 1:
                self._left_alone.add(index, error)
            return error

    def _deadline(self, task: MCPCallTask) -> float:
        own = asyncio.get_running_loop().time() + self.timeout
        deadline = task.scope.deadline if task.scope is not None else None
        return own if deadline is None else min(own, deadline)

    async def release_loop(self) -> None:
        """Let the sources close what is bound to the running loop."""
        for source in self.sources:
            await told(source, "release_loop")

    async def async_shutdown(self) -> None:
        """Close the worker and its sources."""
        self._closed = True
        for source in self.sources:
            await told(source, "async_shutdown")

    def shutdown(self) -> None:
        """Close the worker and its sources, and wait for nothing."""
        self._closed = True
        for source in self.sources:
            if isinstance(source, ToolHost):
                source.shutdown()


@singledispatch
def tool_source(tool: object) -> ToolSource:
    """What tells of a tool and calls it; an adapter registers its library's kind of tool here.

    Args:
        tool: a function, or a source itself.

    Raises:
        InvalidRequestError: what is no tool.
    """
    if isinstance(tool, ToolSource) and not isinstance(tool, type):
        return tool
    for module, adapter in _ADAPTERS.items():
        if any(kind.__module__.startswith(module) for kind in type(tool).__mro__):
            raise InvalidRequestError(f"{type(tool).__name__} of {module} needs its adapter: import {adapter}")
    return FunctionTool(tool)  # type: ignore[arg-type]  # it checks
