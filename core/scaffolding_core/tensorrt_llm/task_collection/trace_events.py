"""The events of a trace that tasks make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scaffolding_core.tensorrt_llm.execution_trace import TraceEvent
from scaffolding_core.tensorrt_llm.task import ChatTask, GenerationTask, MCPCallTask
from scaffolding_core.tensorrt_llm.task_collection.token_counts import token_counts
from scaffolding_core.tensorrt_llm.task_collection.tool_arguments import tool_arguments

__all__ = ["chat_event", "context_event", "generation_events", "tool_call_event"]


def context_event(
    task: ChatTask, index: int, conversation_id: int, path: list[int], so_far: Sequence[TraceEvent]
) -> TraceEvent:
    """A message that a chat is given.

    Args:
        task: the chat.
        index: of the message.
        conversation_id: of the chat.
        path: of the branch.
        so_far: the events before, among them the call that a tool's message answers.
    """
    message = task.messages[index]
    event = TraceEvent(
        "message", path, conversation_id, message.role, message_index=index, content=message.content
    )
    if message.role == "assistant":
        event.finish_reason = getattr(message, "finish_reason", None)
    elif message.role == "system":
        event.system_prompt_id = getattr(message.content, "system_prompt_id", None)
        event.llm_request_tools = task.tools_to_dict() if index == 0 and task.tools else None
    elif message.role == "tool":
        call_id = getattr(message, "tool_call_id", None)
        calls = (e for e in reversed(so_far) if e.event_type == "tool_call" and call_id in (e.tool_call_id, None))
        call = next(calls, None)
        if call is not None:
            event.tool_name, event.tool_arguments = call.tool_name, call.tool_arguments
            event.tool_stdout, event.tool_stderr = call.tool_stdout, call.tool_stderr
    return event


def chat_event(
    task: ChatTask, asked: int, conversation_id: int, path: list[int], duration_ms: float
) -> TraceEvent | None:
    """The call of a chat; None where the model said nothing.

    Args:
        task: the chat.
        asked: how many messages it was given.
        conversation_id: of the chat.
        path: of the branch.
        duration_ms: how long the call took.
    """
    said = next((message for message in task.messages[asked:] if message.role == "assistant"), None)
    if said is None:
        return None
    calls: list[dict[str, Any]] = said.to_dict().get("tool_calls") or []  # type: ignore[assignment]  # as OpenAI's
    event = _call_event(task, conversation_id, path, duration_ms)
    event.message_index = asked
    event.content = said.content
    event.finish_reason = getattr(said, "finish_reason", None) or task.finish_reason
    event.reasoning = event.reasoning_content = getattr(said, "reasoning", None)
    event.tool_calls = [call["function"]["name"] for call in calls] or None
    event.tool_calls_detail = calls or None
    event.llm_request_messages = [dict(message.to_dict()) for message in task.messages[:asked]]
    return event


def generation_events(
    task: GenerationTask, conversation_id: int, path: list[int], duration_ms: float
) -> tuple[TraceEvent, TraceEvent]:
    """The prompt of a completion, as a user's message, and the call."""
    given = TraceEvent("message", path, conversation_id, "user", content=task.input_str)
    event = _call_event(task, conversation_id, path, duration_ms)
    event.content, event.finish_reason = task.output_str, task.finish_reason
    if task.input_str is not None:
        event.llm_request_messages = [{"role": "user", "content": task.input_str}]
    return given, event


def tool_call_event(task: MCPCallTask, path: list[int], duration_ms: float) -> TraceEvent:
    """The call of a tool."""
    return TraceEvent(
        "tool_call",
        path,
        duration_ms=duration_ms,
        tool_call_id=task.tool_call_id,
        tool_name=task.tool_name,
        tool_arguments=tool_arguments(task.args),
        tool_result=task.result_str,
        tool_stdout=task.result_stdout,
        tool_stderr=task.result_stderr,
    )


def _call_event(task: GenerationTask, conversation_id: int, path: list[int], duration_ms: float) -> TraceEvent:
    counts = token_counts(task)
    return TraceEvent(
        "message",
        path,
        conversation_id,
        "assistant",
        prompt_tokens=counts.prompt,
        completion_tokens=counts.completion,
        reasoning_tokens=counts.reasoning,
        llm_duration_ms=duration_ms,
        llm_request_params=getattr(task, "llm_request_params", None),
    )
