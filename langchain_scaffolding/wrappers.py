"""One line each: a method for a model or chain that you have, which it takes the place of."""

from __future__ import annotations

from typing import Any, overload

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.runnables import Runnable

from langchain_scaffolding.chat_model import ChatScaffolding
from langchain_scaffolding.judging.rewards import Reward
from langchain_scaffolding.llm import ScaffoldingLLM
from langchain_scaffolding.runnable import ScaffoldingRunnable
from langchain_scaffolding.translation.results import Part
from langchain_scaffolding.workers.sampled_model import unbound
from scaffolding_core.adapting import AnswersLike

__all__ = ["with_best_of_n", "with_chain_of_thought", "with_majority_vote"]


@overload
def with_majority_vote(
    model: BaseChatModel,
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    **options: Any,
) -> ChatScaffolding: ...
@overload
def with_majority_vote(
    model: BaseLLM,
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    **options: Any,
) -> ScaffoldingLLM: ...
@overload
def with_majority_vote(
    model: Runnable[Any, Any],
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    text: Part | None = None,
    **options: Any,
) -> Runnable[Any, Any]: ...


def with_majority_vote(
    model: Runnable[Any, Any],
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    text: Part | None = None,
    **options: Any,
) -> Runnable[Any, Any]:
    """A model or chain whose answers are voted on.

    Cost: at most n calls of the model or chain for each answer.

    Args:
        model: a chat model, a completion model, or any chain: it takes and returns what it did before.
        n: samples; None takes the method's own number.
        answers: the kind of answer, such as `"number"`; see `scaffolding_core.Answers`.
        max_concurrent_samples: calls of the model or chain at once, over all questions; None sets no limit.
        text: of a chain, which part of its result is the answer: a key or attribute, or a function.
        options: of `MajorityVoteController`, such as `stop_rule` or `extractor`.
    """
    return _with(
        model,
        "majority_vote",
        text,
        sample_num=n,
        answers=answers,
        method_options=options,
        max_concurrent_samples=max_concurrent_samples,
    )


@overload
def with_best_of_n(
    model: BaseChatModel,
    reward: Reward,
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    **options: Any,
) -> ChatScaffolding: ...
@overload
def with_best_of_n(
    model: BaseLLM,
    reward: Reward,
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    **options: Any,
) -> ScaffoldingLLM: ...
@overload
def with_best_of_n(
    model: Runnable[Any, Any],
    reward: Reward,
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    text: Part | None = None,
    **options: Any,
) -> Runnable[Any, Any]: ...


def with_best_of_n(
    model: Runnable[Any, Any],
    reward: Reward,
    n: int | None = None,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    text: Part | None = None,
    **options: Any,
) -> Runnable[Any, Any]:
    """A model or chain that gives the best of several answers.

    With a verifier, which says yes or no, set `enough=1`: the first answer that passes is taken.

    Cost: at most n calls of the model or chain, and n rewards, for each answer.

    Args:
        model: a chat model, a completion model, or any chain: it takes and returns what it did before.
        reward: scores an answer: a name or a mapping with its options, the address of a reward model, a function
            of prompt and answer, a Runnable, an evaluator, or a worker.
        n: samples; None takes the method's own number.
        answers: the kind of answer, where the result is to tell how many samples support the best one.
        max_concurrent_samples: calls of the model or chain at once, over all questions; None sets no limit.
        text: of a chain, which part of its result is the answer: a key or attribute, or a function.
        options: of `BestOfNController`, such as `enough`.
    """
    return _with(
        model,
        "best_of_n",
        text,
        sample_num=n,
        reward=reward,
        answers=answers,
        method_options=options,
        max_concurrent_samples=max_concurrent_samples,
    )


@overload
def with_chain_of_thought(
    model: BaseChatModel,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    **options: Any,
) -> ChatScaffolding: ...
@overload
def with_chain_of_thought(
    model: BaseLLM,
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    **options: Any,
) -> ScaffoldingLLM: ...
@overload
def with_chain_of_thought(
    model: Runnable[Any, Any],
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    text: Part | None = None,
    **options: Any,
) -> Runnable[Any, Any]: ...


def with_chain_of_thought(
    model: Runnable[Any, Any],
    *,
    answers: AnswersLike | None = None,
    max_concurrent_samples: int | None = None,
    text: Part | None = None,
    **options: Any,
) -> Runnable[Any, Any]:
    """A model or chain that reasons before it answers.

    Cost: one call of the model or chain for each answer, with a longer text.

    Args:
        model: a chat model, a completion model, or any chain whose prompt is a text, or messages, that more
            can be written to.
        max_concurrent_samples: calls of the model or chain at once, over all questions; None sets no limit.
        text: of a chain, which part of its result is the answer: a key or attribute, or a function.
        options: of `ChainOfThoughtController`, such as `instruction`.
    """
    return _with(
        model,
        "chain_of_thought",
        text,
        answers=answers,
        method_options=options,
        max_concurrent_samples=max_concurrent_samples,
    )


def _with(model: Runnable[Any, Any], method: str, text: Part | None, **fields: Any) -> Runnable[Any, Any]:
    """The model or chain with a method, of a kind that takes its place."""
    kind = type(unbound(model))
    if text is None and hasattr(kind, "bind_tools"):  # as every chat model has
        return ChatScaffolding.wrap(model, method, **fields)
    if text is None and issubclass(kind, BaseLLM):
        return ScaffoldingLLM.wrap(model, method, **fields)
    return ScaffoldingRunnable.wrap(model, method, text=text, **fields).chosen()
