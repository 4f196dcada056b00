"""What LangChain has to score answers with, as the core's reward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from scaffolding_core import Worker
from scaffolding_core.workers.reward import RewardFunction

__all__ = ["Reward", "core_reward"]

Reward: TypeAlias = "RewardFunction | Runnable[Any, Any] | Worker"
"""Scores an answer: a function of prompt and answer, a Runnable of `{"prompt", "answer"}`, or a worker."""


def core_reward(reward: Reward | None) -> RewardFunction | Worker | None:
    """The reward as the core takes it; a Runnable returns a number, a text of one, or `{"score": ...}`."""
    if not isinstance(reward, Runnable):
        return reward
    runnable = reward
    return lambda prompt, answer: _number(runnable.invoke({"prompt": prompt, "answer": answer}))


def _number(scored: Any) -> float:  # Any: what a Runnable returns
    if isinstance(scored, Mapping):
        scored = scored["score"]
    return float(scored.text if isinstance(scored, AIMessage) else scored)
