"""Which of several ways to answer is worth its price, as arithmetic."""

from scaffolding_core.routing.bandit import Arm, Bandit

__all__ = ["Arm", "Bandit"]
