"""What comes back: results, outputs, candidates and events."""

from __future__ import annotations

from scaffolding_core.results.event_stream import EventStream
from scaffolding_core.results.events import CandidateEvent, DecisionEvent, Event, FinalEvent, TokenEvent
from scaffolding_core.results.execution_trace import CallRecord, Ending, ExecutionTrace, Hints
from scaffolding_core.results.judgement import Judgement
from scaffolding_core.results.output import Candidate, ScaffoldingOutput, Stopped
from scaffolding_core.results.result import ScaffoldingResult
from scaffolding_core.results.state import RequestState

__all__ = [
    "CallRecord",
    "Candidate",
    "CandidateEvent",
    "DecisionEvent",
    "Ending",
    "Event",
    "EventStream",
    "ExecutionTrace",
    "FinalEvent",
    "Hints",
    "Judgement",
    "RequestState",
    "ScaffoldingOutput",
    "ScaffoldingResult",
    "Stopped",
    "TokenEvent",
]
