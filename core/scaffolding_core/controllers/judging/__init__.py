"""What judges answers."""

from scaffolding_core.controllers.judging.combined import CombinedReward, named
from scaffolding_core.controllers.judging.unit_tests import TestsLike, UnitTests
from scaffolding_core.controllers.judging.verified import VerifiedReward

__all__ = ["CombinedReward", "TestsLike", "UnitTests", "VerifiedReward", "named"]
