"""One line each: a method for a chat model that you have."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import Runnable

from langchain_scaffolding.chat_model import ChatScaffolding
from langchain_scaffolding.rewards import Reward

__all__ = ["with_best_of_n", "with_chain_of_thought", "with_majority_vote"]


def with_majority_vote(model: Runnable[Any, Any], n: int = 8, **options: Any) -> ChatScaffolding:
    """A chat model whose answers are voted on.

    Cost: at most n calls of the model for each answer.

    Args:
        model: a chat model, or a chain that returns a message or text.
        n: samples.
        options: of `MajorityVoteController`, such as `stop_rule` or `extractor`.
    """
    return ChatScaffolding.wrap(model, "majority_vote", sample_num=n, method_options=options)


def with_best_of_n(model: Runnable[Any, Any], reward: Reward, n: int = 4, **options: Any) -> ChatScaffolding:
    """A chat model that gives the best of several answers.

    Cost: at most n calls of the model, and n rewards, for each answer.

    Args:
        model: a chat model, or a chain that returns a message or text.
        reward: scores an answer: a function of prompt and answer, a Runnable, or a worker.
        n: samples.
        options: of `BestOfNController`, such as `enough`.
    """
    return ChatScaffolding.wrap(model, "best_of_n", sample_num=n, reward=reward, method_options=options)


def with_chain_of_thought(model: Runnable[Any, Any], **options: Any) -> ChatScaffolding:
    """A chat model that reasons before it answers.

    Cost: one call of the model for each answer, with a longer text.

    Args:
        model: a chat model, or a chain that returns a message or text.
        options: of `ChainOfThoughtController`, such as `instruction`.
    """
    return ChatScaffolding.wrap(model, "chain_of_thought", method_options=options)
