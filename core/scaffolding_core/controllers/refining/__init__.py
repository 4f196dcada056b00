"""Methods that ask again: with what was said of an answer, or with answers in view."""

from scaffolding_core.controllers.refining.chain_of_verification import ChainOfVerificationController
from scaffolding_core.controllers.refining.critique_revise import CritiqueReviseController
from scaffolding_core.controllers.refining.multi_chain_comparison import MultiChainComparisonController
from scaffolding_core.controllers.refining.plan_search import PlanSearchController
from scaffolding_core.controllers.refining.recursive_self_aggregation import RecursiveSelfAggregationController
from scaffolding_core.controllers.refining.reflexion import ReflexionController
from scaffolding_core.controllers.refining.retry_with_feedback import RetryWithFeedbackController
from scaffolding_core.controllers.refining.self_refine import SelfRefineController
from scaffolding_core.controllers.refining.sequential_revision import SequentialRevisionController

__all__ = [
    "ChainOfVerificationController",
    "CritiqueReviseController",
    "MultiChainComparisonController",
    "PlanSearchController",
    "RecursiveSelfAggregationController",
    "ReflexionController",
    "RetryWithFeedbackController",
    "SelfRefineController",
    "SequentialRevisionController",
]
