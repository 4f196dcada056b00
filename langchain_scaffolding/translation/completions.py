"""Events and results of a request as LangChain's completions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.outputs import Generation, GenerationChunk, LLMResult

from langchain_scaffolding.translation.chunks import metadata
from langchain_scaffolding.translation.messages import token_usage
from scaffolding_core import Delta, Event, FinalEvent, ScaffoldingOutput, ScaffoldingResult, Usage
from scaffolding_core.adapting import ShownEvents

__all__ = ["Completions", "to_llm_result"]


class Completions(ShownEvents[GenerationChunk]):
    """Turns a request's events into chunks of the answer; the last one brings what is to be told of the request.

    Args:
        live: see `ShownEvents`.
        metadata: what `generation_info` tells, of the output.
    """

    def __init__(self, *, live: bool, metadata: Callable[[ScaffoldingOutput], dict[str, Any]]) -> None:
        super().__init__(live=live)
        self._metadata = metadata

    def _pieces(self, event: Event, delta: Delta) -> Iterator[GenerationChunk]:
        if delta.text:
            yield GenerationChunk(text=delta.text)

    def _last(self, event: FinalEvent) -> GenerationChunk:
        return GenerationChunk(text="", generation_info=self._metadata(event.output))


def to_llm_result(results: Sequence[ScaffoldingResult], model_name: str) -> LLMResult:
    """The chosen answer to each prompt, with what was paid for all samples of all prompts."""
    total = Usage()
    for result in results:
        total.add(result.output.usage)
    generations = [
        [Generation(text=result.text, generation_info=metadata(result.output, model_name, result.id))]
        for result in results
    ]
    return LLMResult(
        generations=[*generations], llm_output={"token_usage": token_usage(total), "model_name": model_name}
    )
