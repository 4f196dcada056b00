"""Events of a request as LangChain's chunks and results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_scaffolding.translation.candidates import candidate_block
from langchain_scaffolding.translation.messages import to_ai_message, token_usage, usage_from_core
from scaffolding_core import (
    CandidateEvent,
    DecisionEvent,
    Delta,
    Event,
    FinalEvent,
    ScaffoldingOutput,
    ScaffoldingResult,
    TokenEvent,
    TokenLogprob,
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
        self._text_shown = self._whole_shown = False
        self._metadata = metadata
        self._message_id = message_id

    def _candidate(self, event: CandidateEvent) -> Iterator[ChatGenerationChunk]:
        yield self._chunk(content=[candidate_block(event)])

    def _pieces(self, event: Event, delta: Delta) -> Iterator[ChatGenerationChunk]:
        message = _chosen(event)
        if isinstance(event, TokenEvent) and event.originals:
            self._whole_shown = True
            for piece in event.originals:
                yield self._as_streamed(piece)
        elif message is None or self._text_shown:
            self._text_shown = True
            extra = {"reasoning_content": delta.reasoning} if delta.reasoning else {}
            yield self._chunk(content=delta.text, additional_kwargs=extra)
        elif not self._whole_shown:
            self._whole_shown = True
            kept = _of_provider(message.response_metadata)
            yield self._chunk(content=_content(message), response_metadata=kept, **_beside(message))

    def _last(self, event: FinalEvent) -> ChatGenerationChunk:
        """All that was not shown yet, usage and metadata."""
        message = to_ai_message(event.output.message)
        last = AIMessageChunk(
            content=_nothing(message) if self._whole_shown or self._text_shown else _content(message),
            id=self._message_id,
            response_metadata={**message.response_metadata, **self._metadata(event.output)},
            usage_metadata=usage_from_core(event.output.usage),
            chunk_position="last",
            **({} if self._whole_shown else _beside(message, reasoning=not self._text_shown)),
        )
        last.invalid_tool_calls += message.invalid_tool_calls
        return ChatGenerationChunk(message=last)

    def _as_streamed(self, piece: object) -> ChatGenerationChunk:
        """What a wrapped model streamed, but for what is told once and of all samples."""
        assert isinstance(piece, AIMessageChunk)
        kept = _of_provider(piece.response_metadata)
        told_at_the_end = {"usage_metadata": None, "chunk_position": None, "response_metadata": kept}
        return ChatGenerationChunk(message=piece.model_copy(update={**told_at_the_end, "id": self._message_id}))

    def _chunk(self, **fields: Any) -> ChatGenerationChunk:
        return ChatGenerationChunk(message=AIMessageChunk(id=self._message_id, **fields))


def _chosen(event: Event) -> AIMessage | None:
    """The chosen message."""
    if isinstance(event, DecisionEvent):
        return to_ai_message(event.candidate.message)
    return to_ai_message(event.output.message) if isinstance(event, FinalEvent) else None


def _content(message: AIMessage) -> Any:  # Any: text, or blocks
    """The content of a message, if of blocks then of blocks alone."""
    if isinstance(message.content, str):
        return message.content
    return [{"type": "text", "text": block} if isinstance(block, str) else block for block in message.content]


def _nothing(message: AIMessage) -> Any:  # Any: text, or blocks
    """What adds nothing to the content of a message."""
    return "" if isinstance(message.content, str) else []


def _beside(message: AIMessage, *, reasoning: bool = True) -> dict[str, Any]:
    """What a message holds beside its content."""
    calls = [
        tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
        for index, call in enumerate(message.tool_calls)
    ]
    extra = {
        key: value for key, value in message.additional_kwargs.items() if reasoning or key != "reasoning_content"
    }
    return {"tool_call_chunks": calls, "additional_kwargs": extra}


def _of_provider(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What says how to read a message's content."""
    return {name: metadata[name] for name in ("model_provider", "output_version") if name in metadata}


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
    told = {name: message.response_metadata[name] for name in ("token_usage", "model_name")}
    return ChatResult(generations=[ChatGeneration(message=message)], llm_output=told)


def metadata(output: ScaffoldingOutput, model_name: str, trace_id: int) -> dict[str, Any]:
    """What `response_metadata` holds of a method's result; plain data, fit for JSON.

    Args:
        output: of the method.
        model_name: of the model, where the answer does not tell which gave it.
        trace_id: of the request.
    """
    original = output.message.original
    logprobs = {"logprobs": _logprobs(output.logprobs)} if output.logprobs else {}
    answered = original.response_metadata.get("model_name") if isinstance(original, AIMessage) else None
    return {
        "model_name": answered or model_name,
        "token_usage": token_usage(output.usage),
        "finish_reason": output.finish_reason or "stop",
        "scaffolding": result_data(output, trace_id),
        **logprobs,
    }


def _logprobs(tokens: Sequence[TokenLogprob]) -> dict[str, Any]:
    """Log probabilities as OpenAI writes them."""
    return {
        "content": [
            {
                **_token(each.token, each.logprob),
                "top_logprobs": [_token(token, logprob) for token, logprob in each.top],
            }
            for each in tokens
        ]
    }


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "bytes": list(token.encode(errors="replace")), "logprob": logprob}
