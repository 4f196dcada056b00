"""The one record of a run: its calls one by one, seen as a trace, kept as a recording, found again by a replay."""

from __future__ import annotations

from scaffolding_core.trace.execution_trace import CallRecord, ExecutionTrace
from scaffolding_core.trace.record import Record
from scaffolding_core.trace.recording import Begun, Recording, Rerun

__all__ = ["Begun", "CallRecord", "ExecutionTrace", "Record", "Recording", "Rerun"]
