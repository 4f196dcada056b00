"""Events of a request as LangChain's chunks and results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_scaffolding.messages import to_ai_message, usage_from_core
from scaffolding_core import (
    Candidate,
    DecisionEvent,
    Event,
    FinalEvent,
    ScaffoldingOutput,
    TokenEvent,
)

__all__ = ["Chunks", "metadata", "to_result"]


class Chunks:
    """Turns a request's events into chunks of the answer.

    Args:
        live: the method's only branch writes the answer, so text is shown as it comes; otherwise the chosen
            answer comes in one piece, as soon as it is decided.
        model_name: for `response_metadata`.
        message_id: of every chunk; None lets LangChain choose.
        trace_id: of the request.
    """

    def __init__(self, *, live: bool, model_name: str, message_id: str | None = None) -> None:
        self._live = live
        self._model_name = model_name
        self._message_id = message_id
        self._text_shown = False
        self._reasoning_shown = False

    def of(self, event: Event, trace_id: int) -> Iterator[ChatGenerationChunk]:
        """The chunks of one event."""
        if isinstance(event, TokenEvent) and self._live and event.branch == ():
            yield self._piece(event.text, event.reasoning)
        elif isinstance(event, DecisionEvent) and event.branch == () and not self._live:
            yield from self._rest(event.candidate)
        elif isinstance(event, FinalEvent):
            yield from self._last(event.output, trace_id)

    def _rest(self, chosen: Candidate | ScaffoldingOutput) -> Iterator[ChatGenerationChunk]:
        """What of the chosen answer was not shown yet."""
        text = "" if self._text_shown else chosen.message.text
        reasoning = "" if self._reasoning_shown else chosen.message.reasoning or ""
        if text or reasoning:
            yield self._piece(text, reasoning)

    def _last(self, output: ScaffoldingOutput, trace_id: int) -> Iterator[ChatGenerationChunk]:
        yield from self._rest(output)
        message = to_ai_message(output.message)
        calls = [
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
            for index, call in enumerate(message.tool_calls)
        ]
        chunk = AIMessageChunk(
            content="",
            id=self._message_id,
            tool_call_chunks=calls,
            additional_kwargs={
                key: value for key, value in message.additional_kwargs.items() if key != "reasoning_content"
            },
            response_metadata={**message.response_metadata, **metadata(output, self._model_name, trace_id)},
            usage_metadata=usage_from_core(output.usage),
            chunk_position="last",
        )
        chunk.invalid_tool_calls += message.invalid_tool_calls
        yield ChatGenerationChunk(message=chunk)

    def _piece(self, text: str, reasoning: str) -> ChatGenerationChunk:
        self._text_shown = self._text_shown or bool(text)
        self._reasoning_shown = self._reasoning_shown or bool(reasoning)
        extra = {"reasoning_content": reasoning} if reasoning else {}
        return ChatGenerationChunk(
            message=AIMessageChunk(content=text, id=self._message_id, additional_kwargs=extra)
        )


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
        "scaffolding": {
            "method": output.method,
            "answer": plain(output.answer),
            "candidates": [_candidate(candidate) for candidate in output.candidates],
            "votes": votes(output),
            "agreement": output.agreement,
            "score": output.score,
            "samples": output.samples or 1,
            "stopped": output.stopped,
            "trace_id": trace_id,
        },
    }


def votes(output: ScaffoldingOutput) -> dict[str, int]:
    """How many votes each answer got, most first."""
    counted = {str(plain(c.answer)): c.votes for c in output.candidates if c.votes}
    return dict(sorted(counted.items(), key=lambda vote: -vote[1]))


def plain(answer: object) -> Any:  # Any: whatever JSON can hold
    """An answer as plain data."""
    try:
        return json.loads(json.dumps(answer, default=str))
    except (TypeError, ValueError):
        return str(answer)


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "text": candidate.text,
        "answer": plain(candidate.answer),
        "score": candidate.score,
        "votes": candidate.votes,
        "error": str(candidate.error) if candidate.error is not None else None,
        "cut": candidate.cut,
    }
