"""Replays, where some programs import them from."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.replay import (
    DropPathStats,
    QueueExecutor,
    QueueManager,
    ReplayEngine,
    ReplayGenerationStats,
    ReplayMismatchError,
    RetentionProbeStats,
    RngFactory,
    TraceReplayEngine,
    create_replay_scaffolding_llm,
    make_seeded_rng_factory,
)

__all__ = [
    "DropPathStats",
    "QueueExecutor",
    "QueueManager",
    "ReplayEngine",
    "ReplayGenerationStats",
    "ReplayMismatchError",
    "RetentionProbeStats",
    "RngFactory",
    "TraceReplayEngine",
    "create_replay_scaffolding_llm",
    "make_seeded_rng_factory",
]
