"""Replays, where some programs import them from."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.replay import (
    QueueExecutor,
    QueueManager,
    ReplayEngine,
    ReplayGenerationStats,
    RngFactory,
    make_seeded_rng_factory,
)

__all__ = [
    "QueueExecutor",
    "QueueManager",
    "ReplayEngine",
    "ReplayGenerationStats",
    "RngFactory",
    "make_seeded_rng_factory",
]
