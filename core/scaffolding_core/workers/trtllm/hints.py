"""What a request knows of itself, told to the versions of TensorRT-LLM that take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from scaffolding_core.errors import BackendUnavailableError
from scaffolding_core.results import Hints
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.workers.hints import agent_hierarchy, scheduler_priority
from scaffolding_core.workers.trtllm.llm_api import Llm, found, named_parameters, takes

__all__ = ["request_hints"]


class _Way(NamedTuple):
    """How a hint is told.

    Args:
        keyword: of `generate_async`.
        within: class whose argument it is; None where it is told as it is.
    """

    keyword: str
    within: str | None = None


_WAYS: Mapping[str, _Way] = {
    "priority": _Way("priority"),
    "agent_hierarchy": _Way("scheduling_params", "SchedulingParams"),
    "conversation_id": _Way("conversation_params", "ConversationParams"),
}


# Any, in this file: as generate_async takes it.
def request_hints(llm: Llm, task: GenerationTask) -> tuple[dict[str, Any], Hints]:
    """The keywords for what a task knows of its request, and what became of each."""
    keywords: dict[str, Any] = {}
    hints, taken = Hints(), named_parameters(llm.generate_async)
    for name, known in _known(task).items():
        way = _WAYS[name]
        told = _told(way, name, known) if way.keyword in taken else None
        if told is None:
            hints.dropped[name] = "this TensorRT-LLM does not take it"
        else:
            keywords[way.keyword] = told
            hints.sent[name] = known
    return keywords, hints


def _known(task: GenerationTask) -> dict[str, Any]:
    scope = task.scope
    if scope is None:
        return {}
    priority = getattr(scope, "priority", 0)
    return {
        **({"priority": scheduler_priority(priority)} if priority else {}),
        "agent_hierarchy": agent_hierarchy(task, scope),
        "conversation_id": str(scope.request_id),
    }


def _told(way: _Way, name: str, known: object) -> object:
    """The value of the keyword; None where this version has no place for it."""
    if way.within is None:
        return known
    try:
        holder = found(way.within)
    except BackendUnavailableError:  # it has no such class
        return None
    return holder(**{name: known}) if takes(holder, name) else None
