"""ExecutionTrace: what a controller did in a request, told without what was said."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from scaffolding_core.errors import InvalidRequestError

__all__ = ["ExecutionTrace", "TraceEvent"]

_FULL_ONLY = {
    "content",
    "llm_duration_ms",
    "llm_request_messages",
    "llm_request_params",
    "llm_request_tools",
    "reasoning",
    "reasoning_content",
    "tool_arguments",
    "tool_calls_detail",
    "tool_result",
    "tool_stderr",
    "tool_stdout",
}
"""Fields that say what was said, or how long it took the model; a file has them only if it is asked for."""


@dataclass
class TraceEvent:
    """One event of a trace; what it does not concern is None.

    Attributes:
        event_type: `message`, `tool_call`, `parallel_start`, `parallel_end` or `drop_kv_cache`.
        branch_path: of the branch that it happened in; `[]` is the request's own.
        conversation_id: of a message, or of what is dropped: all messages of one task have the same.
        role: of a message.
        message_index: where in its conversation a message stands.
        tool_calls: the names of the tools that the model called.
        prompt_tokens: that the call read.
        completion_tokens: that it wrote.
        reasoning_tokens: those of them that are thoughts.
        finish_reason: why it ended.
        llm_duration_ms: how long the call took, in milliseconds.
        llm_request_params: its parameters, where the worker tells.
        llm_request_messages: the messages that it was given.
        llm_request_tools: the tools that it was given; they stand at the first message of the conversation.
        tool_calls_detail: the calls of tools, as OpenAI writes them.
        reasoning: the model's thoughts.
        reasoning_content: the same, by the name that some servers use.
        tool_call_id: of a call of a tool.
        tool_name: of the tool.
        duration_ms: how long the tool took, in milliseconds.
        tool_arguments: what it was given.
        tool_result: what it answered.
        tool_stdout: what it wrote to its standard output.
        tool_stderr: and to its standard error.
        num_branches: how many branches start.
        children: the events of those branches, in traces that tell them so.
        content: of a message.
        system_prompt_id: which text a system message was made from, by `system_prompt`.
        tokens: of a message's content, once they were counted.
        tokens_source: who counted them.
        tokenize_error: why nobody could.
    """

    event_type: str = ""
    branch_path: list[int] = field(default_factory=list)
    conversation_id: int | None = None
    role: str | None = None
    message_index: int | None = None
    tool_calls: list[str] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    finish_reason: str | None = None
    llm_duration_ms: float | None = None
    llm_request_params: Mapping[str, Any] | None = None  # Any: here and below, whatever JSON holds
    llm_request_messages: list[dict[str, Any]] | None = None
    llm_request_tools: list[dict[str, Any]] | None = None
    tool_calls_detail: list[dict[str, Any]] | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_call_id: str | None = None
    tool_name: str | None = None
    duration_ms: float | None = None
    tool_arguments: Any = None
    tool_result: str | None = None
    tool_stdout: str | None = None
    tool_stderr: str | None = None
    num_branches: int | None = None
    children: list[TraceEvent] | None = None
    content: Any = None
    system_prompt_id: str | None = None
    tokens: int | None = None
    tokens_source: str | None = None
    tokenize_error: str | None = None

    @property
    def is_call(self) -> bool:
        """Whether it is a call of the model, and no message that one was given: only a call has counts."""
        return self.event_type == "message" and self.role == "assistant" and self.completion_tokens is not None

    def to_dict(self, *, full: bool = False) -> dict[str, Any]:
        """The event as plain data, without what is None.

        Args:
            full: with what was said, too.
        """
        told = {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}
        if self.children is not None:
            told["children"] = [child.to_dict(full=full) for child in self.children]
        of_tool = self.event_type == "tool_call" or self.role == "tool"
        if full:
            return told | ({"tool_stdout": self.tool_stdout, "tool_stderr": self.tool_stderr} if of_tool else {})
        left_out = _FULL_ONLY | ({"tool_name"} if self.role == "tool" else set())
        return {name: value for name, value in told.items() if name not in left_out}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TraceEvent:
        """The event that `to_dict` gives; unknown names are left out."""
        known = {f.name for f in fields(cls)}
        event = cls(**{name: value for name, value in data.items() if name in known})
        if event.children is not None:
            event.children = [cls.from_dict(child) for child in data["children"]]
        return event


@dataclass
class ExecutionTrace:
    """What happened in one request, in the order in which it happened.

    Args:
        trace_id: tells it from others.
        events: what happened.
    """

    trace_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    events: list[TraceEvent] = field(default_factory=list)

    def save(self, path: str | os.PathLike[str], *, full: bool = False) -> None:
        """Write it to a file, as JSON.

        Args:
            path: of the file.
            full: with what was said, too; else the file tells only structure, counts and times.
        """
        data = {"trace_id": self.trace_id, "events": [event.to_dict(full=full) for event in self.events]}
        Path(path).write_text(json.dumps(data, indent=2, ensure_ascii=False, default=str), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ExecutionTrace:
        """Read a file that `save` wrote.

        Raises:
            InvalidRequestError: it holds no trace.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            events = [TraceEvent.from_dict(event) for event in data.get("events", [])]
            return cls(data["trace_id"], events) if "trace_id" in data else cls(events=events)
        except (ValueError, AttributeError, TypeError) as error:
            raise InvalidRequestError(f"{os.fspath(path)} holds no execution trace: {error}") from error
