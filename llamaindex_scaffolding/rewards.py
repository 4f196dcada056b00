"""What LlamaIndex has to score answers with, as the core's reward."""

from __future__ import annotations

from typing import TypeAlias

from llama_index.core.evaluation import BaseEvaluator, EvaluationResult

from scaffolding_core import FunctionWorker, RewardTask, Task, Worker, WorkerError
from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import called_synchronously
from scaffolding_core.workers.reward import RewardFunction

__all__ = ["Reward", "core_reward"]

Reward: TypeAlias = "RewardFunction | BaseEvaluator | Worker"
"""Scores an answer: a function of prompt and answer, one of LlamaIndex's evaluators, or a worker."""


def core_reward(reward: Reward | None) -> RewardFunction | Worker | None:
    """The reward as the core takes it.

    An evaluator gets the last user message as its query. Its score counts; where it gives none, passing is 1
    and failing 0.
    """
    if not isinstance(reward, BaseEvaluator):
        return reward
    evaluator = reward

    async def score(task: Task) -> float:
        assert isinstance(task, RewardTask)
        answer = task.response.text if task.response is not None else ""
        if called_synchronously.get():
            return _score(await run_in_thread(evaluator.evaluate, query=_query(task), response=answer))
        return _score(await evaluator.aevaluate(query=_query(task), response=answer))

    return FunctionWorker(score)


def _score(result: EvaluationResult) -> float:
    if result.score is not None:
        return result.score
    if result.passing is None:
        raise WorkerError(f"the evaluator gave neither a score nor a verdict: {result.invalid_reason or result!r}")
    return float(result.passing)


def _query(task: RewardTask) -> str:
    if task.input_str is not None:
        return task.input_str
    asked = [message.text for message in task.messages or () if message.role == "user"]
    return asked[-1] if asked else ""
