"""Events and results of a request as LangChain's completions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.outputs import Generation, GenerationChunk, LLMResult

from langchain_scaffolding.translation.chunks import metadata
from scaffolding_core import Event, FinalEvent, ScaffoldingOutput, ScaffoldingResult, Usage
from scaffolding_core.adapting import AnswerStream

__all__ = ["Completions", "to_llm_result"]


class Completions:
    """Turns a request's events into chunks of the answer.

    Args:
        live: see `AnswerStream`.
        model_name: for `generation_info`.
    """

    def __init__(self, *, live: bool, model_name: str) -> None:
        self._answer = AnswerStream(live=live)
        self._model_name = model_name

    def of(self, event: Event, trace_id: int) -> Iterator[GenerationChunk]:
        """The chunks of one event; the last one brings what is to be told of the request."""
        delta = self._answer.of(event)
        if delta is not None and delta.text:
            yield GenerationChunk(text=delta.text)
        if isinstance(event, FinalEvent):
            yield GenerationChunk(text="", generation_info=_info(event.output, self._model_name, trace_id))


def to_llm_result(results: Sequence[ScaffoldingResult], model_name: str) -> LLMResult:
    """The chosen answer to each prompt, with what was paid for all samples of all prompts."""
    total = Usage()
    for result in results:
        total.add(result.output.usage)
    generations = [
        [Generation(text=result.text, generation_info=_info(result.output, model_name, result.id))]
        for result in results
    ]
    return LLMResult(
        generations=[*generations], llm_output={"token_usage": _token_usage(total), "model_name": model_name}
    )


def _info(output: ScaffoldingOutput, model_name: str, trace_id: int) -> dict[str, Any]:
    return {**metadata(output, model_name, trace_id), "token_usage": _token_usage(output.usage)}


def _token_usage(usage: Usage) -> dict[str, int]:
    """As LangChain's completion models tell it."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
