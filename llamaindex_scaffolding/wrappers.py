"""One line each: a method for an LLM that you have."""

from __future__ import annotations

from typing import Any

from llama_index.core.llms import LLM

from llamaindex_scaffolding.judging.rewards import Reward
from llamaindex_scaffolding.llm.llm import ScaffoldingLLM
from scaffolding_core.adapting import AnswersLike

__all__ = ["with_best_of_n", "with_chain_of_thought", "with_majority_vote"]


def with_majority_vote(
    llm: LLM,
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    temperature: float | None = 0.7,
    **options: Any,
) -> ScaffoldingLLM:
    """An LLM whose answers are voted on.

    Cost: at most n calls of the LLM for each answer.

    Args:
        llm: any LLM.
        n: samples; None takes the method's own number.
        answers: the kind of answer, such as `"number"`; see `ScaffoldingLLM`.
        temperature: of the samples; None leaves the LLM's own, which is mostly too low for samples to differ.
        options: of `MajorityVoteController`, such as `stop_rule` or `extractor`.
    """
    return ScaffoldingLLM.wrap(
        llm, "majority_vote", sample_num=n, answers=answers, temperature=temperature, method_options=options
    )


def with_best_of_n(
    llm: LLM,
    reward: Reward,
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    temperature: float | None = 0.7,
    **options: Any,
) -> ScaffoldingLLM:
    """An LLM that gives the best of several answers.

    Cost: at most n calls of the LLM, and n rewards, for each answer.

    Args:
        llm: any LLM.
        reward: scores an answer: a name or a mapping with its options, the address of a reward model, a function
            of prompt and answer, one of LlamaIndex's evaluators or rerankers, or a worker.
        n: samples; None takes the method's own number.
        answers: the kind of answer, where the response is to tell how many samples support the best one.
        temperature: of the samples; None leaves the LLM's own, which is mostly too low for samples to differ.
        options: of `BestOfNController`, such as `enough`.
    """
    return ScaffoldingLLM.wrap(
        llm,
        "best_of_n",
        sample_num=n,
        reward=reward,
        answers=answers,
        temperature=temperature,
        method_options=options,
    )


def with_chain_of_thought(llm: LLM, *, answers: AnswersLike | None = None, **options: Any) -> ScaffoldingLLM:
    """An LLM that reasons before it answers.

    Cost: one call of the LLM for each answer, with a longer text.

    Args:
        llm: any LLM.
        answers: the kind of answer that the response tells, such as `"number"`; see `ScaffoldingLLM`.
        options: of `ChainOfThoughtController`, such as `instruction`.
    """
    return ScaffoldingLLM.wrap(llm, "chain_of_thought", answers=answers, method_options=options)
