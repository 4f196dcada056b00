"""Execution traces, where some programs import them from."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.execution_trace import ExecutionTrace, TraceEvent

__all__ = ["ExecutionTrace", "TraceEvent"]
