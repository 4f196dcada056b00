"""Inference-time compute wherever a LangChain user has a model."""

from __future__ import annotations

from langchain_scaffolding.chat_model import ChatScaffolding
from langchain_scaffolding.worker import LangChainWorker
from langchain_scaffolding.wrappers import with_best_of_n, with_chain_of_thought, with_majority_vote

__all__ = [
    "ChatScaffolding",
    "LangChainWorker",
    "with_best_of_n",
    "with_chain_of_thought",
    "with_majority_vote",
]
