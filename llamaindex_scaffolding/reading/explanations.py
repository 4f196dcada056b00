"""What explains, and decides nothing, in structures and tools of LlamaIndex's own.

A user's own structures and tools count whole: in those an explanation may be what was asked for.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from llama_index.core.agent.workflow.multi_agent_workflow import handoff
from llama_index.core.base.base_selector import SingleSelection
from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.evaluation import EvaluationResult
from llama_index.core.evaluation.guideline import EvaluationData
from llama_index.core.output_parsers.selection import Answer

__all__ = [
    "EXPLANATIONS",
    "EXPLANATIONS_OF_CALLS",
    "arguments_without_explanations",
    "without_explanations",
]

EXPLANATIONS: Mapping[type, frozenset[str]] = {
    Answer: frozenset({"reason"}),
    EvaluationData: frozenset({"feedback"}),
    EvaluationResult: frozenset({"feedback"}),
    SingleSelection: frozenset({"reason"}),
}
"""The fields that are left out where structures are compared, by class; not of classes derived from these."""

EXPLANATIONS_OF_CALLS: Mapping[Callable[..., object], frozenset[str]] = {handoff: frozenset({"reason"})}
"""The arguments that are left out where calls are compared, by the function that the tool calls."""

_NONE: frozenset[str] = frozenset()
_CALLED = {
    function.__name__: (inspect.signature(function).parameters.keys(), ignored)
    for function, ignored in EXPLANATIONS_OF_CALLS.items()
}
"""The same by the names that a model calls them by, with the names of all arguments."""


def without_explanations(value: object, data: Any) -> Any:  # Any: whatever JSON can hold
    """Plain data of a validated value, without what explains in structures of LlamaIndex's own, at any depth.

    Args:
        value: of the classes that tell what explains.
        data: the same as plain data; fields that it lacks are left out.
    """
    if isinstance(value, list | tuple) and isinstance(data, list) and len(value) == len(data):
        return [without_explanations(item, part) for item, part in zip(value, data, strict=True)]
    if isinstance(data, dict) and (isinstance(value, BaseModel) or dataclasses.is_dataclass(value)):
        ignored = EXPLANATIONS.get(type(value), _NONE)
        return {
            name: without_explanations(getattr(value, name, None), part)
            for name, part in data.items()
            if name not in ignored
        }
    return data


def arguments_without_explanations(name: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """What counts of a call that is written as text, where its shape alone tells that the tool is LlamaIndex's."""
    known, ignored = _CALLED.get(name, (_NONE, _NONE))
    ignored = ignored if arguments.keys() <= known else _NONE
    return {argument: given for argument, given in arguments.items() if argument not in ignored}
