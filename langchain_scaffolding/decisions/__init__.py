"""Decision models: a vote as one, and any of them as reward, equivalence or risk check."""

from __future__ import annotations

try:
    import langchain_core.decisions  # noqa: F401  # whether it is there
except ImportError as error:
    raise ImportError(
        "langchain_scaffolding.decisions needs decision models, which came with langchain-core 1.8: "
        "pip install --upgrade 'langchain-core>=1.8'"
    ) from error

from langchain_scaffolding.decisions.responses import Poll, VotedResponse
from langchain_scaffolding.decisions.voting import VotingDecisionModel
from langchain_scaffolding.judging.agent_decisions import RiskByDecision, StepByDecision
from langchain_scaffolding.judging.decisions import SameByDecision, decision_reward

__all__ = [
    "Poll",
    "RiskByDecision",
    "SameByDecision",
    "StepByDecision",
    "VotedResponse",
    "VotingDecisionModel",
    "decision_reward",
]
