"""The methods, one a file, and what they are made of."""

from __future__ import annotations

from scaffolding_core.controllers.acting import ReActController, ToolLoopController
from scaffolding_core.controllers.confidence import (
    CalibratedController,
    DeepConfOfflineController,
    DeepConfOnlineController,
    threshold_for,
)
from scaffolding_core.controllers.judging import Criterion, PairwiseJudge, PassJudge, RubricJudge, ScoreJudge
from scaffolding_core.controllers.native_chat import NativeChatController
from scaffolding_core.controllers.native_generation import NativeGenerationController
from scaffolding_core.controllers.native_reward import NativeRewardController
from scaffolding_core.controllers.prompting import (
    ChainOfThoughtController,
    PlanAndSolveController,
    ProgramOfThoughtController,
    ReReadingController,
    StepBackController,
)
from scaffolding_core.controllers.refining import (
    ChainOfVerificationController,
    CritiqueReviseController,
    MultiChainComparisonController,
    PlanSearchController,
    RecursiveSelfAggregationController,
    ReflexionController,
    RetryWithFeedbackController,
    SelfRefineController,
    SequentialRevisionController,
)
from scaffolding_core.controllers.roles import part_for
from scaffolding_core.controllers.sampling import (
    FieldVoteController,
    MajorityVoteController,
    SemanticVoteController,
    ShortVoteController,
    TwoThenThinkController,
    UniversalVoteController,
)
from scaffolding_core.controllers.selecting import (
    BestOfNController,
    GenSelectController,
    KnockoutController,
    PivotTournamentController,
    WeightedVoteController,
)

__all__ = [
    "BestOfNController",
    "CalibratedController",
    "ChainOfThoughtController",
    "ChainOfVerificationController",
    "Criterion",
    "CritiqueReviseController",
    "DeepConfOfflineController",
    "DeepConfOnlineController",
    "FieldVoteController",
    "GenSelectController",
    "KnockoutController",
    "MajorityVoteController",
    "MultiChainComparisonController",
    "NativeChatController",
    "NativeGenerationController",
    "NativeRewardController",
    "PairwiseJudge",
    "PassJudge",
    "PivotTournamentController",
    "PlanAndSolveController",
    "PlanSearchController",
    "ProgramOfThoughtController",
    "ReActController",
    "ReReadingController",
    "RecursiveSelfAggregationController",
    "ReflexionController",
    "RetryWithFeedbackController",
    "RubricJudge",
    "ScoreJudge",
    "SelfRefineController",
    "SemanticVoteController",
    "SequentialRevisionController",
    "ShortVoteController",
    "StepBackController",
    "ToolLoopController",
    "TwoThenThinkController",
    "UniversalVoteController",
    "WeightedVoteController",
    "part_for",
    "threshold_for",
]
