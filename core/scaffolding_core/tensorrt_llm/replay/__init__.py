"""Replays of execution traces: of their load, by `ReplayEngine`; of their controllers, on the recorded way."""

from __future__ import annotations

from scaffolding_core.errors import ReplayMismatchError
from scaffolding_core.tensorrt_llm.replay.generation_stats import ReplayGenerationStats
from scaffolding_core.tensorrt_llm.replay.probes import DropPathStats, RetentionProbeStats
from scaffolding_core.tensorrt_llm.replay.queue_executor import QueueExecutor
from scaffolding_core.tensorrt_llm.replay.queue_manager import QueueManager
from scaffolding_core.tensorrt_llm.replay.replay_engine import ReplayEngine
from scaffolding_core.tensorrt_llm.replay.replaying_llm import create_replay_scaffolding_llm
from scaffolding_core.tensorrt_llm.replay.synthetic_tokens import RngFactory, make_seeded_rng_factory
from scaffolding_core.tensorrt_llm.replay.trace_replay_engine import TraceReplayEngine

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
