"""What an agent accepts of its model's answers: calls of its tools, and its structured response."""

from __future__ import annotations

from typing import Any

from langchain.agents.middleware import ModelRequest
from langchain.agents.structured_output import AutoStrategy, ProviderStrategy, ToolStrategy

from langchain_scaffolding.translation.accepted import StructureInText, accepted_tools
from scaffolding_core import Extractor
from scaffolding_core.adapting import Acceptance, KnownTools, ReadArguments, read_as_type, read_by_schema

__all__ = ["acceptance_of"]


def acceptance_of(request: ModelRequest[Any]) -> Acceptance:
    """What the agent will accept of the answer to a request.

    Where the agent leaves it open whether its response comes by a call or as text, either is accepted.
    """
    tools, shape, structure = accepted_tools(request.tools), request.response_format, None
    if shape is not None and not isinstance(shape, ToolStrategy):
        structure = _as_text(shape.schema if isinstance(shape, AutoStrategy | ProviderStrategy) else shape)
    if shape is not None and not isinstance(shape, ProviderStrategy):
        _add_calls(tools, shape)
    return Acceptance(tools, structure)


def _add_calls(tools: KnownTools, shape: Any) -> None:
    """Add the calls by which a structured response may come."""
    strategy = shape if isinstance(shape, ToolStrategy) else ToolStrategy(getattr(shape, "schema", shape))
    for spec in strategy.schema_specs:
        tools[spec.name] = _read(spec.schema)
        if isinstance(spec.schema, dict) and "title" not in spec.schema:
            tools.are_all = False  # it gets another name each time


def _as_text(schema: Any) -> Extractor:
    return StructureInText(_read(schema, defaults=True))


def _read(schema: Any, *, defaults: bool = False) -> ReadArguments:
    if isinstance(schema, dict):
        return read_by_schema(schema, defaults=defaults)
    return read_as_type(schema, defaults=defaults)
