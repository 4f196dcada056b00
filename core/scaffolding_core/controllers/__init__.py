"""The methods, one a file, and what they are made of."""

from __future__ import annotations

from scaffolding_core.controllers.acting import ReActController, ToolLoopController
from scaffolding_core.controllers.confidence import (
    CalibratedController,
    DeepConfOfflineController,
    DeepConfOnlineController,
    DynasorController,
    threshold_for,
)
from scaffolding_core.controllers.judging import Criterion, PairwiseJudge, PassJudge, RubricJudge, ScoreJudge
from scaffolding_core.controllers.native_chat import NativeChatController
from scaffolding_core.controllers.native_generation import NativeGenerationController
from scaffolding_core.controllers.native_reward import NativeRewardController
from scaffolding_core.controllers.prompting import (
    BudgetForcingController,
    ChainOfThoughtController,
    PlanAndSolveController,
    ProgramOfThoughtController,
    ReReadingController,
    StepBackController,
)
from scaffolding_core.controllers.refining import RetryWithFeedbackController
from scaffolding_core.controllers.roles import part_for
from scaffolding_core.controllers.sampling import (
    FieldVoteController,
    MajorityVoteController,
    SemanticVoteController,
    ShortVoteController,
    TwoThenThinkController,
    UniversalVoteController,
)
from scaffolding_core.controllers.searching import (
    BeamSearchController,
    DvtsController,
    ParticleFilteringController,
    ParticleGibbsController,
)
from scaffolding_core.controllers.selecting import (
    BestOfNController,
    GenSelectController,
    KnockoutController,
    PivotTournamentController,
    WeightedVoteController,
)

__all__ = [
    "BeamSearchController",
    "BestOfNController",
    "BudgetForcingController",
    "CalibratedController",
    "ChainOfThoughtController",
    "Criterion",
    "DeepConfOfflineController",
    "DeepConfOnlineController",
    "DvtsController",
    "DynasorController",
    "FieldVoteController",
    "GenSelectController",
    "KnockoutController",
    "MajorityVoteController",
    "NativeChatController",
    "NativeGenerationController",
    "NativeRewardController",
    "PairwiseJudge",
    "ParticleFilteringController",
    "ParticleGibbsController",
    "PassJudge",
    "PivotTournamentController",
    "PlanAndSolveController",
    "ProgramOfThoughtController",
    "ReActController",
    "ReReadingController",
    "RetryWithFeedbackController",
    "RubricJudge",
    "ScoreJudge",
    "SemanticVoteController",
    "ShortVoteController",
    "StepBackController",
    "ToolLoopController",
    "TwoThenThinkController",
    "UniversalVoteController",
    "WeightedVoteController",
    "part_for",
    "threshold_for",
]
