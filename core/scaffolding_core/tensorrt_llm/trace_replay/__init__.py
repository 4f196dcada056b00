"""Execution traces and their replays, where some programs import them from."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.execution_trace import ExecutionTrace, TraceEvent
from scaffolding_core.tensorrt_llm.replay import (
    QueueExecutor,
    QueueManager,
    ReplayEngine,
    ReplayGenerationStats,
    ReplayMismatchError,
    TraceReplayEngine,
    create_replay_scaffolding_llm,
)

__all__ = [
    "ExecutionTrace",
    "QueueExecutor",
    "QueueManager",
    "ReplayEngine",
    "ReplayGenerationStats",
    "ReplayMismatchError",
    "TraceEvent",
    "TraceReplayEngine",
    "create_replay_scaffolding_llm",
]
