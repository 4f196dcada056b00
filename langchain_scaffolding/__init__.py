"""Inference-time compute wherever a LangChain user has a model or a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaffolding_core import MissingExtraError

try:
    import langchain_core  # noqa: F401  # whether it is there
except ImportError as error:
    raise MissingExtraError("langchain_scaffolding", "langchain") from error

import langchain_scaffolding.workers.tool  # noqa: F401  # it registers LangChain's tools
from langchain_scaffolding.chat_model import ChatScaffolding
from langchain_scaffolding.judging.judges import FromRunnable, SameByRunnable
from langchain_scaffolding.judging.rewards import evaluator_reward
from langchain_scaffolding.llm import ScaffoldingLLM
from langchain_scaffolding.runnable import ScaffoldingRunnable
from langchain_scaffolding.translation.transcript import agent_transcript
from langchain_scaffolding.workers.agent_tools import agent_tools
from langchain_scaffolding.workers.runnable_worker import NativeRunnableController, RunnableWorker
from langchain_scaffolding.workers.worker import LangChainWorker
from langchain_scaffolding.wrappers import with_best_of_n, with_chain_of_thought, with_majority_vote

if TYPE_CHECKING:
    from langchain_scaffolding.decisions import RiskByDecision as RiskByDecision
    from langchain_scaffolding.decisions import SameByDecision as SameByDecision
    from langchain_scaffolding.decisions import StepByDecision as StepByDecision
    from langchain_scaffolding.decisions import VotingDecisionModel as VotingDecisionModel
    from langchain_scaffolding.decisions import decision_reward as decision_reward

__all__ = [
    "ChatScaffolding",
    "FromRunnable",
    "LangChainWorker",
    "NativeRunnableController",
    "RunnableWorker",
    "SameByRunnable",
    "ScaffoldingLLM",
    "ScaffoldingRunnable",
    "agent_tools",
    "agent_transcript",
    "evaluator_reward",
    "with_best_of_n",
    "with_chain_of_thought",
    "with_majority_vote",
]

_DECIDING = ("RiskByDecision", "SameByDecision", "StepByDecision", "VotingDecisionModel", "decision_reward")
"""Names that need langchain-core 1.8: imported where they are asked for, since all others run on 1.7."""


def __getattr__(name: str) -> object:
    if name not in _DECIDING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from langchain_scaffolding import decisions

    return getattr(decisions, name)
