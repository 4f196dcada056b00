"""Events of a request as LangChain's chunks and results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_scaffolding.translation.candidates import candidate_block
from langchain_scaffolding.translation.messages import to_ai_message, usage_from_core
from scaffolding_core import (
    CandidateEvent,
    DecisionEvent,
    Delta,
    Event,
    FinalEvent,
    ScaffoldingOutput,
    ScaffoldingResult,
)
from scaffolding_core.adapting import ShownEvents, result_data

__all__ = ["Chunks", "metadata", "to_result"]


class Chunks(ShownEvents[ChatGenerationChunk]):
    """Turns a request's events into chunks of the answer.

    Args:
        live: see `ShownEvents`.
        metadata: what `response_metadata` tells at the end, of the output.
        message_id: of every chunk; None lets LangChain choose.
        candidates: show each finished sample as a reasoning block.
    """

    def __init__(
        self,
        *,
        live: bool,
        metadata: Callable[[ScaffoldingOutput], dict[str, Any]],
        message_id: str | None = None,
        candidates: bool = False,
    ) -> None:
        super().__init__(live=live, candidates=candidates)
        self._whole_shown = False
        self._metadata = metadata
        self._message_id = message_id

    def _candidate(self, event: CandidateEvent) -> Iterator[ChatGenerationChunk]:
        yield self._chunk(content=[candidate_block(event)])

    def _pieces(self, event: Event, delta: Delta) -> Iterator[ChatGenerationChunk]:
        blocks = None if self._live else _blocks(event)
        if blocks is not None:
            self._whole_shown = True
            yield self._chunk(content=blocks)
            return
        extra = {"reasoning_content": delta.reasoning} if delta.reasoning else {}
        said = _chosen(event)
        refused = isinstance(said, AIMessage) and not said.text  # it is told beside the content
        yield self._chunk(content="" if refused else delta.text, additional_kwargs=extra)

    def _last(self, event: FinalEvent) -> ChatGenerationChunk:
        """All that was not shown yet: tool calls, usage, metadata, pictures and the like."""
        output = event.output
        message = to_ai_message(output.message)
        blocks = () if self._whole_shown else _blocks(event) or ()
        calls = [
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
            for index, call in enumerate(message.tool_calls)
        ]
        extra = {key: value for key, value in message.additional_kwargs.items() if key != "reasoning_content"}
        last = AIMessageChunk(
            content=[block for block in blocks if block.get("type") not in _SHOWN_OTHERWISE] or "",
            id=self._message_id,
            tool_call_chunks=calls,
            additional_kwargs=extra,
            response_metadata={**message.response_metadata, **self._metadata(output)},
            usage_metadata=usage_from_core(output.usage),
            chunk_position="last",
        )
        last.invalid_tool_calls += message.invalid_tool_calls
        return ChatGenerationChunk(message=last)

    def _chunk(self, **fields: Any) -> ChatGenerationChunk:
        return ChatGenerationChunk(message=AIMessageChunk(id=self._message_id, **fields))


_SHOWN_OTHERWISE = ("text", "reasoning", "thinking", "tool_use", "tool_call", "function_call")
"""Kinds of content blocks whose parts a stream shows in its own way."""


def _chosen(event: Event) -> object:
    """The chosen message as a wrapped model gave it."""
    if isinstance(event, DecisionEvent):
        return event.candidate.message.original
    return event.output.message.original if isinstance(event, FinalEvent) else None


def _blocks(event: Event) -> list[dict[str, Any]] | None:
    """The content of the chosen message, if a wrapped model made it of blocks."""
    chosen = _chosen(event)
    if not isinstance(chosen, AIMessage) or isinstance(chosen.content, str):
        return None
    return [{"type": "text", "text": block} if isinstance(block, str) else block for block in chosen.content]


def to_result(result: ScaffoldingResult, model_name: str, message_id: str | None = None) -> ChatResult:
    """The chosen sample's message, whole, with what was paid for all samples.

    Args:
        result: of the request.
        model_name: for `response_metadata`.
        message_id: None lets LangChain choose.
    """
    output = result.output
    message = to_ai_message(output.message)
    message.id = message_id
    message.usage_metadata = usage_from_core(output.usage)
    message.response_metadata = {**message.response_metadata, **metadata(output, model_name, result.id)}
    return ChatResult(generations=[ChatGeneration(message=message)])


def metadata(output: ScaffoldingOutput, model_name: str, trace_id: int) -> dict[str, Any]:
    """What `response_metadata` holds of a method's result; plain data, fit for JSON."""
    return {
        "model_name": model_name,
        "finish_reason": output.finish_reason or "stop",
        "scaffolding": result_data(output, trace_id),
    }
