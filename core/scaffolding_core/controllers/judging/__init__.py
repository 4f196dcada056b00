"""What judges answers."""

from scaffolding_core.controllers.judging.pairwise_judge import PairwiseJudge
from scaffolding_core.controllers.judging.pass_judge import PassJudge
from scaffolding_core.controllers.judging.rubric_judge import Criterion, CriterionLike, RubricJudge
from scaffolding_core.controllers.judging.score_judge import ScoreJudge

__all__ = ["Criterion", "CriterionLike", "PairwiseJudge", "PassJudge", "RubricJudge", "ScoreJudge"]
