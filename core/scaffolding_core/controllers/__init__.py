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
from scaffolding_core.controllers.searching import (
    AbMctsController,
    BeamSearchController,
    BestFirstController,
    DvtsController,
    LatsController,
    MctsController,
    ParticleFilteringController,
    ParticleGibbsController,
    TreeOfThoughtsController,
)
from scaffolding_core.controllers.selecting import (
    BestOfNController,
    GenSelectController,
    KnockoutController,
    PivotTournamentController,
    WeightedVoteController,
)
from scaffolding_core.controllers.teaming import (
    BanditRoutingController,
    CascadeController,
    DebateController,
    MixtureOfAgentsController,
    PanelController,
)

__all__ = [
    "AbMctsController",
    "BanditRoutingController",
    "BeamSearchController",
    "BestFirstController",
    "BestOfNController",
    "BudgetForcingController",
    "CalibratedController",
    "CascadeController",
    "ChainOfThoughtController",
    "ChainOfVerificationController",
    "Criterion",
    "CritiqueReviseController",
    "DebateController",
    "DeepConfOfflineController",
    "DeepConfOnlineController",
    "DvtsController",
    "DynasorController",
    "FieldVoteController",
    "GenSelectController",
    "KnockoutController",
    "LatsController",
    "MajorityVoteController",
    "MctsController",
    "MixtureOfAgentsController",
    "MultiChainComparisonController",
    "NativeChatController",
    "NativeGenerationController",
    "NativeRewardController",
    "PairwiseJudge",
    "PanelController",
    "ParticleFilteringController",
    "ParticleGibbsController",
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
    "TreeOfThoughtsController",
    "TwoThenThinkController",
    "UniversalVoteController",
    "WeightedVoteController",
    "part_for",
    "threshold_for",
]
