"""A method's result and its samples as plain data, as the responses of other libraries carry them."""

from __future__ import annotations

from typing import Any

from scaffolding_core.results import CandidateEvent, ScaffoldingOutput

__all__ = ["candidate_data", "result_data"]


def result_data(output: ScaffoldingOutput, request_id: int) -> dict[str, Any]:
    """A method's result, and the request that it is of, as `trace_id`."""
    return {**output.summary(), "trace_id": request_id}


def candidate_data(event: CandidateEvent) -> dict[str, Any]:
    """A finished sample, with its branch and index."""
    return {"branch": [*event.branch], "index": event.candidate.index, **event.candidate.summary()}
