"""Inference-time compute wherever a LangChain user has a model or a chain."""

from __future__ import annotations

from langchain_scaffolding.chat_model import ChatScaffolding
from langchain_scaffolding.judging.judges import FromRunnable, SameByRunnable
from langchain_scaffolding.judging.rewards import evaluator_reward
from langchain_scaffolding.llm import ScaffoldingLLM
from langchain_scaffolding.runnable import ScaffoldingRunnable
from langchain_scaffolding.workers.runnable_worker import NativeRunnableController, RunnableWorker
from langchain_scaffolding.workers.worker import LangChainWorker
from langchain_scaffolding.wrappers import with_best_of_n, with_chain_of_thought, with_majority_vote

__all__ = [
    "ChatScaffolding",
    "FromRunnable",
    "LangChainWorker",
    "NativeRunnableController",
    "RunnableWorker",
    "SameByRunnable",
    "ScaffoldingLLM",
    "ScaffoldingRunnable",
    "evaluator_reward",
    "with_best_of_n",
    "with_chain_of_thought",
    "with_majority_vote",
]
