"""What comes back: results, outputs, candidates and events."""

from __future__ import annotations

from scaffolding_core.results.event_stream import EventStream
from scaffolding_core.results.events import CandidateEvent, DecisionEvent, Event, FinalEvent, TokenEvent
from scaffolding_core.results.output import Candidate, ScaffoldingOutput, Stopped
from scaffolding_core.results.result import ScaffoldingResult

__all__ = [
    "Candidate",
    "CandidateEvent",
    "DecisionEvent",
    "Event",
    "EventStream",
    "FinalEvent",
    "ScaffoldingOutput",
    "ScaffoldingResult",
    "Stopped",
    "TokenEvent",
]
