"""A method's result over query engines, as LlamaIndex's response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llama_index.core.base.response.schema import PydanticResponse, Response

from llamaindex_scaffolding.judging.support import UnsupportedAnswerError
from llamaindex_scaffolding.query_engine.streams import ReadResponse
from scaffolding_core import Candidate, ScaffoldingResult
from scaffolding_core.adapting import result_data

__all__ = ["chosen_response", "is_streamed"]


def chosen_response(result: ScaffoldingResult) -> Response | PydanticResponse:
    """The chosen sample's response, with how it was chosen in a metadata of its own."""
    chosen = result.output.message.original
    if not isinstance(chosen, Response | PydanticResponse):
        chosen = Response(result.output.text)  # the method wrote it itself
    return replace(chosen, metadata={**(chosen.metadata or {}), "scaffolding": _told(result)})


def is_streamed(result: ScaffoldingResult) -> bool:
    """Whether the engines stream their answers, so that who asks expects a stream."""
    said = [candidate.message.original for candidate in result.output.candidates]
    return any(isinstance(response, ReadResponse) for response in (result.output.message.original, *said))


def _told(result: ScaffoldingResult) -> Mapping[str, Any]:
    told = result_data(result.output, result.id)
    for candidate, summary in zip(result.output.candidates, told["candidates"], strict=True):
        summary.update(_told_of(candidate))
    return told


def _told_of(candidate: Candidate) -> dict[str, Any]:
    response = candidate.message.original
    nodes = response.source_nodes if isinstance(response, Response | PydanticResponse) else []
    told: dict[str, Any] = {"source_nodes": [node.node.node_id for node in nodes]}
    if isinstance(candidate.error, UnsupportedAnswerError):
        told["answer"] = str(candidate.error.answer)
    return told
