"""Reward models behind a server."""

from scaffolding_core.workers.reward_model.worker import RewardModelWorker

__all__ = ["RewardModelWorker"]
