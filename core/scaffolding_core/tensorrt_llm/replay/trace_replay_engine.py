"""TraceReplayEngine: answers a controller's tasks as a trace tells that they were answered."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict, deque
from collections.abc import Sequence

from scaffolding_core.errors import ReplayMismatchError
from scaffolding_core.messages import ToolCall
from scaffolding_core.tensorrt_llm.execution_scope import current_scope
from scaffolding_core.tensorrt_llm.execution_trace import ExecutionTrace, TraceEvent
from scaffolding_core.tensorrt_llm.message import AssistantMessage
from scaffolding_core.tensorrt_llm.replay.filler import Filler, Tokenizer
from scaffolding_core.tensorrt_llm.task import (
    ChatTask,
    DropKVCacheTask,
    GenerationTask,
    MCPCallTask,
    Task,
)
from scaffolding_core.tensorrt_llm.together import together
from scaffolding_core.tensorrt_llm.workers.base import raise_status
from scaffolding_core.worker import Worker

__all__ = ["TraceReplayEngine"]

_EVENT_TYPES: dict[type[Task], str] = {
    GenerationTask: "message",
    MCPCallTask: "tool_call",
    DropKVCacheTask: "drop_kv_cache",
}


class TraceReplayEngine:
    """Answers tasks with the events of a trace, each branch's in their order.

    A generation runs on a real worker, with filler of the recorded length, and gets the recorded counts, finish
    reason and tool calls, so that the controller goes the recorded way. A tool takes its recorded time and answers
    nothing.

    Args:
        trace: what is replayed; once, so that each request needs an engine of its own.
        latency_scale: what recorded times of tools are multiplied with.
        tokenizer: the model's, so that filler has the recorded length; None counts each word as a token.
    """

    def __init__(
        self, trace: ExecutionTrace, latency_scale: float = 1.0, tokenizer: Tokenizer | None = None
    ) -> None:
        self.trace = trace
        self.latency_scale = latency_scale
        self.tokenizer = tokenizer
        self._filler = Filler(tokenizer)
        self._left: dict[tuple[int, ...], deque[TraceEvent]] = defaultdict(deque)
        for event in trace.events:
            if _answers(event):
                self._left[tuple(event.branch_path)].append(event)

    async def replay_task_list(self, tasks: Sequence[Task], generation_worker: Worker) -> None:
        """Answer tasks that were yielded together, in the current execution scope.

        Raises:
            ReplayMismatchError: the trace tells of others.
            ScaffoldingError: the worker failed.
        """
        events = self.events_for(tasks)
        pairs = zip(tasks, events, strict=True)
        await together(self.replay(task, event, generation_worker) for task, event in pairs)

    def events_for(self, tasks: Sequence[Task]) -> list[TraceEvent]:
        """The event of each task that was yielded together with the others, in the current execution scope.

        Raises:
            ReplayMismatchError: the trace tells of others.
        """
        scope = current_scope.get()
        path = () if scope is None else scope.branch_path
        events = self._next(path, len(tasks))
        for task, event in zip(tasks, events, strict=True):
            wanted = next((name for kind, name in _EVENT_TYPES.items() if isinstance(task, kind)), None)
            if wanted != event.event_type:
                raise ReplayMismatchError(
                    f"branch {list(path)} yields a {type(task).__name__} where the trace tells of "
                    f"{event.event_type!r}: replay the controller that was recorded"
                )
        return events

    def _next(self, path: tuple[int, ...], count: int) -> list[TraceEvent]:
        if count == 1:
            return [self._take(path)]
        if not self._left[path] or self._left[path][0].children is None:
            return [self._take((*path, index)) for index in range(count)]
        children = self._take(path).children or []
        if len(children) != count:
            raise ReplayMismatchError(
                f"branch {list(path)} yields {count} tasks where the trace tells of {len(children)}"
            )
        return children

    def _take(self, path: tuple[int, ...]) -> TraceEvent:
        if not self._left[path]:
            left = sorted(list(branch) for branch, events in self._left.items() if events)
            raise ReplayMismatchError(
                f"branch {list(path)} yields more than the trace tells of; branches with events left: {left}"
            )
        return self._left[path].popleft()

    async def replay(self, task: Task, event: TraceEvent, generation_worker: Worker) -> None:
        """Answer one task.

        Raises:
            ScaffoldingError: the worker failed.
        """
        if isinstance(task, GenerationTask):
            asked = self._filled(task, event)
            try:
                raise_status(generation_worker, asked, await generation_worker.run_task(asked))
            finally:
                task.usage = asked.usage
            self._answer(task, event)
        elif isinstance(task, MCPCallTask):
            await asyncio.sleep((event.duration_ms or 0.0) * self.latency_scale / 1000)
            task.result_str = ""

    def _filled(self, task: GenerationTask, event: TraceEvent) -> GenerationTask:
        """What is asked instead of the task: as much, to be answered by as much."""
        asked = task.copy()
        asked.scope = task.scope
        asked.max_tokens, asked.ignore_eos = event.completion_tokens or 0, True
        if isinstance(asked, ChatTask):
            asked.messages = list(self._filler.chat(asked.messages, event.prompt_tokens or 0))
        else:
            asked.input_tokens, asked.input_str = None, self._filler.text(event.prompt_tokens or 0)
        return asked

    def _answer(self, task: GenerationTask, event: TraceEvent) -> None:
        """What the trace tells, as if the model had said it."""
        calls = [ToolCall(str(uuid.uuid4()), name, "{}") for name in event.tool_calls or ()]
        content = "" if calls else self._filler.text(event.completion_tokens or 0)
        said = AssistantMessage(content, tool_calls=calls or None, finish_reason=event.finish_reason)
        said.output_tokens = [0] * (event.completion_tokens or 0)
        task.said = said
        if isinstance(task, ChatTask):
            task.messages.append(said)
            task.prompt_tokens_num = event.prompt_tokens or 0
            task.completion_tokens_num = event.completion_tokens or 0
            task.reasoning_tokens_num = event.reasoning_tokens or 0


def _answers(event: TraceEvent) -> bool:
    """Whether it answers what a controller yields."""
    if event.event_type == "parallel_start":
        return event.children is not None
    return event.is_call or event.event_type in ("tool_call", "drop_kv_cache")
