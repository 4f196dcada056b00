"""Replays, where some programs import them from."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm import replay
from scaffolding_core.tensorrt_llm.replay import *  # noqa: F403  # its __all__ is what they import

__all__ = list(replay.__all__)
