"""ExecutionTracer: the trace of what a controller does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from scaffolding_core.tensorrt_llm.controller import Controller
from scaffolding_core.tensorrt_llm.execution_scope import current_scope
from scaffolding_core.tensorrt_llm.execution_trace import ExecutionTrace, TraceEvent
from scaffolding_core.tensorrt_llm.task import (
    ChatTask,
    DropKVCacheTask,
    GenerationTask,
    MCPCallTask,
    Task,
    TokenizeTask,
)
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection
from scaffolding_core.tensorrt_llm.task_collection.trace_events import (
    chat_event,
    context_event,
    generation_events,
    tool_call_event,
)
from scaffolding_core.tensorrt_llm.task_collection.with_task_collection import with_task_collection

__all__ = ["EXECUTION_TRACER", "ExecutionTracer", "with_execution_tracing"]

C = TypeVar("C", bound=Controller)

EXECUTION_TRACER = "execution_tracer"
"""The tracer's key in `task_collections`."""


class ExecutionTracer(TaskCollection):
    """Records each message of each conversation, each call of a tool, and each fork.

    What a chat is given stands before its call, the call itself after it ran. Tasks that are yielded together, and
    the branches of a `ParallelProcess`, stand between `parallel_start` and `parallel_end`, each on a branch of its
    own.

    Args:
        controller_name: for whoever reads the trace.

    Attributes:
        events: what happened so far.
    """

    def __init__(self, controller_name: str = "root") -> None:
        super().__init__()
        self.controller_name = controller_name
        self.events: list[TraceEvent] = []
        self._started: dict[int, float] = {}
        self._chats: dict[int, _Conversation] = {}
        self._conversations = 0

    def before_yield(self, tasks: list[Task]) -> None:
        """Record what the chats among them are given."""
        for task in tasks:
            self._started[id(task)] = time.perf_counter()
            if isinstance(task, ChatTask):
                task.enable_token_counting = True
                self._record_context(task)

    def after_yield(self, tasks: list[Task]) -> None:
        """Record what they did."""
        now, path = time.perf_counter(), _branch_path()
        ended: list[TraceEvent] = []
        for task in tasks:
            started = self._started.pop(id(task), None)
            if started is not None:
                ended += self._events_of(task, (now - started) * 1000)
        if len(ended) < 2:
            self.events += ended
            return
        for index, event in enumerate(ended):
            event.branch_path = [*path, index]
        fork = TraceEvent("parallel_start", path, num_branches=len(ended))
        self.events += [fork, *ended, TraceEvent("parallel_end", path)]

    def after_failure(self, tasks: list[Task]) -> None:
        """What did not run is not recorded."""
        for task in tasks:
            self._started.pop(id(task), None)

    def on_parallel_start(self, num_branches: int) -> None:
        """Record the fork."""
        self.events.append(TraceEvent("parallel_start", _branch_path(), num_branches=num_branches))

    def on_parallel_end(self, num_branches: int) -> None:
        """Record its end."""
        self.events.append(TraceEvent("parallel_end", _branch_path()))

    def export_trace(self) -> ExecutionTrace:
        """The trace so far."""
        return ExecutionTrace(events=list(self.events))

    def _record_context(self, task: ChatTask) -> None:
        conversation = self._chats.get(id(task))
        if conversation is None:
            conversation = self._chats[id(task)] = _Conversation(task, self._new_conversation())
        given = range(conversation.recorded, len(task.messages))
        self.events += [context_event(task, i, conversation.id, _branch_path(), self.events) for i in given]
        conversation.recorded = len(task.messages)

    def _events_of(self, task: Task, duration_ms: float) -> list[TraceEvent]:
        """What a task that ran did; nothing, where it is of no interest."""
        path = _branch_path()
        if isinstance(task, ChatTask):
            conversation = self._chats[id(task)]
            asked, conversation.recorded = conversation.recorded, len(task.messages)
            event = chat_event(task, asked, conversation.id, path, duration_ms)
            return [] if event is None else [event]
        if isinstance(task, GenerationTask):
            given, event = generation_events(task, self._new_conversation(), path, duration_ms)
            self.events.append(given)
            return [event]
        if isinstance(task, MCPCallTask):
            return [tool_call_event(task, path, duration_ms)]
        if isinstance(task, TokenizeTask):
            return []
        if isinstance(task, DropKVCacheTask):
            dropped = self._chats.get(id(task.chat_task))
            return [TraceEvent("drop_kv_cache", path, None if dropped is None else dropped.id)]
        return [TraceEvent("message", path, role="assistant")]

    def _new_conversation(self) -> int:
        self._conversations += 1
        return self._conversations - 1


@dataclass
class _Conversation:
    """A chat, kept so that no other task takes its identity, and how many of its messages are recorded."""

    task: ChatTask
    id: int
    recorded: int = 0


def with_execution_tracing(controller_name: str) -> Callable[[type[C]], type[C]]:
    """Decorate a class of controllers with a tracer, in `task_collections["execution_tracer"]`.

    Args:
        controller_name: for whoever reads the trace.
    """
    return with_task_collection(EXECUTION_TRACER, ExecutionTracer, controller_name=controller_name)


def _branch_path() -> list[int]:
    scope = current_scope.get()
    return [] if scope is None else scope.branch_path_list
