"""What LlamaIndex has to score answers with, as the core's reward: evaluators and rerankers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import ClassVar, TypeAlias

from llama_index.core.base.response.schema import PydanticResponse, Response
from llama_index.core.evaluation import BaseEvaluator, EvaluationResult, PairwiseComparisonEvaluator
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, TextNode

from llamaindex_scaffolding.instrumentation.llm_usage import counted_llm_calls
from llamaindex_scaffolding.judging.evaluation import evaluated
from scaffolding_core import InvalidRequestError, RewardTask, Task, Worker, WorkerError
from scaffolding_core.adapting import RewardFunction, RewardLike, TaskHandler, converted_reward, run_either

__all__ = ["LOWEST_SCORE", "EvaluatorWorker", "RerankerWorker", "Reward", "core_reward"]

Reward: TypeAlias = "RewardFunction | RewardLike | BaseEvaluator | BaseNodePostprocessor"
"""Scores an answer: an evaluator, a reranker, or what the core takes: a name, an address, a function, a worker."""

LOWEST_SCORE = -sys.float_info.max
"""Score of an answer that a reranker drops; finite, so that it is valid JSON."""


class EvaluatorWorker(Worker):
    """Scores answers with one of LlamaIndex's evaluators.

    It gets the query (the last user message of a chat), the answer and, where the answer is a query engine's
    response, its source nodes as contexts. Its score counts; where it gives none, passing is 1 and failing 0.
    Its verdict and its feedback go into the task.

    Cost: one evaluation for each answer; the tokens of its LLM calls are counted.

    Args:
        evaluator: any but a pairwise one.

    Raises:
        InvalidRequestError: it compares two answers.
    """

    def __init__(self, evaluator: BaseEvaluator) -> None:
        if isinstance(evaluator, PairwiseComparisonEvaluator):
            raise InvalidRequestError(
                "PairwiseComparisonEvaluator compares two answers and scores none: take an evaluator of single "
                "answers, such as FaithfulnessEvaluator or CorrectnessEvaluator"
            )
        self.evaluator = evaluator

    async def _score(self, task: RewardTask) -> None:
        with counted_llm_calls() as calls:
            try:
                result = await evaluated(self.evaluator, _query(task), _answer(task))
            finally:
                task.usage = calls.usage
        task.reward = _score_of(result)
        task.verdict, task.feedback = result.passing, result.feedback

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {RewardTask: _score}


class RerankerWorker(Worker):
    """Scores answers with a reranker: the answer stands as a node, and is ranked against the query.

    The score is that of the node it returns; an answer that it drops has the lowest score there is.

    Cost: one reranking of one node for each answer; the tokens of its LLM calls are counted.

    Args:
        reranker: a node postprocessor that scores, such as `LLMRerank` or `SentenceTransformerRerank`.
    """

    def __init__(self, reranker: BaseNodePostprocessor) -> None:
        self.reranker = reranker

    async def _score(self, task: RewardTask) -> None:
        nodes = [NodeWithScore(node=TextNode(text=task.response.text if task.response is not None else ""))]
        with counted_llm_calls() as calls:
            try:
                forms = self.reranker.postprocess_nodes, self.reranker.apostprocess_nodes
                ranked = await run_either(*forms, nodes, query_str=_query(task))
            finally:
                task.usage = calls.usage
        if ranked and ranked[0].score is None:
            raise WorkerError(f"{type(self.reranker).__name__} gave no score: take a postprocessor that scores")
        task.reward = float(ranked[0].score or 0.0) if ranked else LOWEST_SCORE

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {RewardTask: _score}


def core_reward(reward: Reward | None) -> RewardLike | None:
    """The reward as the core takes it.

    Raises:
        InvalidRequestError: an evaluator that compares two answers.
    """
    return None if reward is None else converted_reward(reward, _worker_of)


def _worker_of(reward: Reward) -> RewardLike:
    if isinstance(reward, BaseEvaluator):
        return EvaluatorWorker(reward)
    return RerankerWorker(reward) if isinstance(reward, BaseNodePostprocessor) else reward


def _score_of(result: EvaluationResult) -> float:
    if result.score is not None:
        return result.score
    if result.passing is None:
        raise WorkerError(
            f"the evaluator gave neither a score nor a verdict: {result.invalid_reason or repr(result)}"
        )
    return float(result.passing)


def _query(task: RewardTask) -> str:
    if task.input_str is not None:
        return task.input_str
    asked = [message.text for message in task.messages or () if message.role == "user"]
    return asked[-1] if asked else ""


def _answer(task: RewardTask) -> Response | str:
    if task.response is None:
        return ""
    original = task.response.original
    if isinstance(original, PydanticResponse):
        return original.get_response()
    return original if isinstance(original, Response) else task.response.text
