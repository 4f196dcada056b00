"""What judges answers."""

from scaffolding_core.controllers.judging.combined import CombinedReward, named
from scaffolding_core.controllers.judging.own_confidence import OwnConfidence
from scaffolding_core.controllers.judging.pairwise_judge import PairwiseJudge
from scaffolding_core.controllers.judging.pass_judge import PassJudge
from scaffolding_core.controllers.judging.rubric_judge import Criterion, CriterionLike, RubricJudge
from scaffolding_core.controllers.judging.score_judge import ScoreJudge
from scaffolding_core.controllers.judging.unit_tests import TestsLike, UnitTests
from scaffolding_core.controllers.judging.verified import VerifiedReward

__all__ = [
    "CombinedReward",
    "Criterion",
    "CriterionLike",
    "OwnConfidence",
    "PairwiseJudge",
    "PassJudge",
    "RubricJudge",
    "ScoreJudge",
    "TestsLike",
    "UnitTests",
    "VerifiedReward",
    "named",
]
