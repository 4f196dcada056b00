"""What a request did, call by call."""

from __future__ import annotations

from scaffolding_core.trace.execution_trace import CallRecord, ExecutionTrace

__all__ = ["CallRecord", "ExecutionTrace"]
