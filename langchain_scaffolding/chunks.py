"""Events of a request as LangChain's chunks and results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_scaffolding.candidates import candidate_block
from langchain_scaffolding.messages import to_ai_message, usage_from_core
from scaffolding_core import CandidateEvent, Event, FinalEvent, ScaffoldingOutput
from scaffolding_core.answer_stream import AnswerStream

__all__ = ["Chunks", "metadata", "to_result"]


class Chunks:
    """Turns a request's events into chunks of the answer.

    Args:
        live: see `AnswerStream`.
        model_name: tells it at the end, for `response_metadata`.
        message_id: of every chunk; None lets LangChain choose.
        candidates: show each finished sample as a reasoning block.
    """

    def __init__(
        self, *, live: bool, model_name: Callable[[], str], message_id: str | None = None, candidates: bool = False
    ) -> None:
        self._answer = AnswerStream(live=live)
        self._candidates = candidates
        self._model_name = model_name
        self._message_id = message_id

    def of(self, event: Event, trace_id: int) -> Iterator[ChatGenerationChunk]:
        """The chunks of one event."""
        if self._candidates and isinstance(event, CandidateEvent):
            sample = AIMessageChunk(content=[candidate_block(event)], id=self._message_id)
            yield ChatGenerationChunk(message=sample)
        delta = self._answer.of(event)
        if delta is not None:
            extra = {"reasoning_content": delta.reasoning} if delta.reasoning else {}
            chunk = AIMessageChunk(content=delta.text, id=self._message_id, additional_kwargs=extra)
            yield ChatGenerationChunk(message=chunk)
        if isinstance(event, FinalEvent):
            yield self._last(event.output, trace_id)

    def _last(self, output: ScaffoldingOutput, trace_id: int) -> ChatGenerationChunk:
        """All but the text: tool calls, usage, metadata."""
        message = to_ai_message(output.message)
        calls = [
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
            for index, call in enumerate(message.tool_calls)
        ]
        extra = {key: value for key, value in message.additional_kwargs.items() if key != "reasoning_content"}
        chunk = AIMessageChunk(
            content="",
            id=self._message_id,
            tool_call_chunks=calls,
            additional_kwargs=extra,
            response_metadata={**message.response_metadata, **metadata(output, self._model_name(), trace_id)},
            usage_metadata=usage_from_core(output.usage),
            chunk_position="last",
        )
        chunk.invalid_tool_calls += message.invalid_tool_calls
        return ChatGenerationChunk(message=chunk)


def to_result(output: ScaffoldingOutput, model_name: str, trace_id: int) -> ChatResult:
    """The chosen sample's message, whole, with what was paid for all samples."""
    message: AIMessage = to_ai_message(output.message)
    message.usage_metadata = usage_from_core(output.usage)
    message.response_metadata = {**message.response_metadata, **metadata(output, model_name, trace_id)}
    return ChatResult(generations=[ChatGeneration(message=message)])


def metadata(output: ScaffoldingOutput, model_name: str, trace_id: int) -> dict[str, Any]:
    """What `response_metadata` holds of a method's result; plain data, fit for JSON."""
    return {
        "model_name": model_name,
        "finish_reason": output.finish_reason or "stop",
        "scaffolding": {**output.summary(), "trace_id": trace_id},
    }
