"""Finished samples, shown while the method still runs."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from langchain_core.callbacks import (
    AsyncCallbackManager,
    CallbackManager,
    adispatch_custom_event,
    dispatch_custom_event,
)

from scaffolding_core import CandidateEvent, Event
from scaffolding_core.adapting import candidate_data

__all__ = ["CANDIDATE_EVENT", "StreamCandidates", "adispatch_candidate", "candidate_block", "dispatch_candidate"]

StreamCandidates: TypeAlias = Literal["reasoning", "events"]
"""How finished samples are shown: as reasoning blocks of the stream, or as custom events of the run."""

CANDIDATE_EVENT = "scaffolding_candidate"
"""Name of the custom event."""


def candidate_block(event: CandidateEvent) -> dict[str, Any]:
    """A finished sample as a reasoning block of its own; where it comes from is in its `extras`."""
    branch = "_".join(map(str, (*event.branch, event.candidate.index)))
    told = candidate_data(event)
    return {
        "type": "reasoning",
        "reasoning": event.candidate.text or told["error"] or "",
        "index": f"lc_sample_{branch}",  # LangChain merges blocks of one index
        "extras": {name: told[name] for name in ("branch", "index", "answer", "read_as", "error")},
    }


def dispatch_candidate(event: Event, manager: CallbackManager | AsyncCallbackManager | None) -> None:
    """Tell the run's callbacks of a finished sample; other events are left alone."""
    if isinstance(event, CandidateEvent) and manager is not None:
        dispatch_custom_event(CANDIDATE_EVENT, candidate_data(event), config={"callbacks": manager})


async def adispatch_candidate(event: Event, manager: CallbackManager | AsyncCallbackManager | None) -> None:
    """Tell the run's callbacks of a finished sample; other events are left alone."""
    if isinstance(event, CandidateEvent) and manager is not None:
        await adispatch_custom_event(CANDIDATE_EVENT, candidate_data(event), config={"callbacks": manager})
