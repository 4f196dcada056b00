"""What LangChain has to score answers with, as the core's reward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from langchain_core.runnables import Runnable

from langchain_scaffolding.judging.decisions import decision_reward, is_decision_model
from langchain_scaffolding.judging.evaluators import evaluator_judge
from langchain_scaffolding.judging.judge import Judge
from langchain_scaffolding.tracing.inner_runs import inside, run_inside
from scaffolding_core import FunctionWorker, InvalidRequestError, RewardTask, Worker
from scaffolding_core.adapting import RewardLike, call_function, check_reward_function, converted_reward

__all__ = ["Reward", "core_reward", "evaluator_reward"]

Reward: TypeAlias = (
    "Callable[..., Any] | Runnable[Any, Any] | Worker | Any"  # Any: evaluators have no common class
)
"""Scores an answer; higher is better. One of

- a function of prompt and answer, also an async one;
- a decision model, asked whether the answer is correct and complete; `decision_reward` asks another question;
- a Runnable that takes `{"prompt": ..., "answer": ..., "result": ...}`, `result` being the whole message or
  chain result behind the answer;
- an evaluator with `evaluate_strings`, as those of `langchain_classic.evaluation`;
- an evaluator that takes any of `inputs`, `outputs`, `reference_outputs`, `run` and `example`, as those of
  openevals and LangSmith, or one with `evaluate_run`: input and result of a chain are data for it where they are
  data, unless it says that it takes text, or `text` names a part of the result;
- a name or an address, a mapping with a `kind`, a worker or a controller: what the core takes, see `RewardLike`.

It gives a number, a truth value, yes or no as text, or data with a `score`; a `feedback`, `reasoning` or `comment`
in the data is what a retry is told.
"""


def core_reward(reward: Reward | None) -> RewardLike | None:
    """The reward as the core takes it: the blocking ones run in threads, the async ones on the caller's loop.

    Raises:
        InvalidRequestError: nothing that can score, or not one answer by itself, or not without a reference, or a
            function of something else.
    """
    return None if reward is None else converted_reward(reward, _worker_of)


def _worker_of(reward: Reward) -> Worker:
    if isinstance(reward, Worker):
        return reward
    judge = evaluator_judge(reward, None)
    if judge is not None:
        return FunctionWorker(judge)
    if isinstance(reward, Runnable):
        return FunctionWorker(_RunnableJudge(decision_reward(reward) if is_decision_model(reward) else reward))
    if callable(reward):
        check_reward_function(reward)
        return FunctionWorker(_FunctionJudge(reward))
    raise InvalidRequestError(
        "a reward must be a function, a Runnable, an evaluator, a worker, or a reward's name, "
        f"got {type(reward).__name__}"
    )


def evaluator_reward(evaluator: Any, *, reference: object = None) -> Worker:  # Any: of no common class
    """An evaluator as a reward.

    Mind that distances, such as those of `string_distance`, are lower for better answers: turn them round.

    Cost: one call of the evaluator for each answer; the usage of LangChain models inside is counted.

    Args:
        evaluator: one of the kinds that `Reward` names.
        reference: the right answer, for evaluators that compare with it; data for those that take data.

    Raises:
        InvalidRequestError: no evaluator, one that compares answers, or none without a reference.
    """
    judge = evaluator_judge(evaluator, reference)
    if judge is None:
        raise InvalidRequestError(
            "an evaluator must have evaluate_strings or evaluate_run, or take 'outputs' or 'run', "
            f"got {evaluator!r}"
        )
    return FunctionWorker(judge)


class _RunnableJudge(Judge):
    def __init__(self, runnable: Runnable[Any, Any]) -> None:
        self.runnable = runnable

    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        result = task.response.original if task.response is not None else None
        return await run_inside(self.runnable, {"prompt": prompt, "answer": answer, "result": result}, task)


class _FunctionJudge(Judge):
    def __init__(self, function: Callable[[str, str], Any]) -> None:
        self.function = function

    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        with inside(task):
            return await call_function(self.function, prompt, answer)
