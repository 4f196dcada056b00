"""What judges answers."""

from scaffolding_core.controllers.judging.combined import CombinedReward, named
from scaffolding_core.controllers.judging.verified import VerifiedReward

__all__ = ["CombinedReward", "VerifiedReward", "named"]
