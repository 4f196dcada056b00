"""What LangChain has to score answers with, as the core's reward."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

from langchain_core.runnables import Runnable

from langchain_scaffolding.judging.verdicts import feedback_of, score_of
from langchain_scaffolding.tracing.inner_runs import inside, run_inside
from scaffolding_core import FunctionWorker, InvalidRequestError, RewardTask, Task, Worker
from scaffolding_core.adapting import call_function, prompt_text, run_either

__all__ = ["Reward", "core_reward", "evaluator_reward"]

Reward: TypeAlias = (
    "Callable[..., Any] | Runnable[Any, Any] | Worker | Any"  # Any: evaluators have no common class
)
"""Scores an answer; higher is better. One of

- a function of prompt and answer, also an async one;
- a Runnable that takes `{"prompt": ..., "answer": ..., "result": ...}`, `result` being the whole message or
  chain result behind the answer;
- an evaluator with `evaluate_strings`, as those of `langchain_classic.evaluation`;
- an evaluator called with `inputs`, `outputs` and `reference_outputs`, as those of openevals and LangSmith;
- a worker.

It gives a number, a truth value, yes or no as text, or data with a `score`; a `feedback`, `reasoning` or `comment`
in the data is what a retry is told.
"""


def core_reward(reward: Reward | None) -> Worker | None:
    """The reward as the core takes it: the blocking ones run in threads, the async ones on the caller's loop.

    Raises:
        InvalidRequestError: nothing that can score.
    """
    if reward is None or isinstance(reward, Worker):
        return reward
    if _is_evaluator(reward):
        return evaluator_reward(reward)
    if isinstance(reward, Runnable):
        return FunctionWorker(_RunnableJudge(reward))
    if callable(reward):
        return FunctionWorker(_FunctionJudge(reward))
    raise InvalidRequestError(
        f"a reward must be a function, a Runnable, an evaluator or a worker, got {type(reward).__name__}"
    )


def evaluator_reward(evaluator: Any, *, reference: object = None) -> Worker:  # Any: of no common class
    """An evaluator as a reward.

    Mind that distances, such as those of `string_distance`, are lower for better answers: turn them round.

    Cost: one call of the evaluator for each answer; the usage of LangChain models inside is counted.

    Args:
        evaluator: has `evaluate_strings`, or is called with `inputs`, `outputs` and `reference_outputs`.
        reference: the right answer, for evaluators that compare with it.

    Raises:
        InvalidRequestError: no evaluator.
    """
    if not _is_evaluator(evaluator):
        raise InvalidRequestError(f"an evaluator must have evaluate_strings or take 'outputs', got {evaluator!r}")
    if _evaluates_strings(evaluator):
        return FunctionWorker(_StringEvaluatorJudge(evaluator, reference))
    return FunctionWorker(_EvaluatorJudge(evaluator, reference))


class _Judge:
    """Scores a `RewardTask`."""

    async def __call__(self, task: Task) -> float:
        assert isinstance(task, RewardTask)
        answer = task.response.text if task.response is not None else ""
        said = await self._ask(task, prompt_text(task), answer)
        task.feedback = feedback_of(said)
        return score_of(said)

    @abstractmethod
    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        """What the judge says."""


class _RunnableJudge(_Judge):
    def __init__(self, runnable: Runnable[Any, Any]) -> None:
        self.runnable = runnable

    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        result = task.response.original if task.response is not None else None
        return await run_inside(self.runnable, {"prompt": prompt, "answer": answer, "result": result}, task)


class _FunctionJudge(_Judge):
    def __init__(self, function: Callable[[str, str], Any]) -> None:
        self.function = function

    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        with inside(task):
            return await call_function(self.function, prompt, answer)


class _EvaluatorJudge(_Judge):
    def __init__(self, evaluator: Callable[..., Any], reference: object) -> None:
        self.evaluator = evaluator
        self.reference = reference

    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        given: dict[str, Any] = {"inputs": prompt, "outputs": answer, "reference_outputs": self.reference}
        takes = inspect.signature(self.evaluator).parameters
        takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values())
        given = {name: value for name, value in given.items() if name in takes or takes_any}
        with inside(task):
            return await call_function(self.evaluator, **given)


class _StringEvaluatorJudge(_Judge):
    def __init__(self, evaluator: Any, reference: object) -> None:
        self.evaluator = evaluator
        self.reference = reference

    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        given: dict[str, Any] = {"prediction": answer}
        if getattr(self.evaluator, "requires_input", True):  # one that does not warns of it
            given["input"] = prompt
        if self.reference is not None:
            given["reference"] = self.reference
        forms = (getattr(self.evaluator, name, None) for name in ("evaluate_strings", "aevaluate_strings"))
        with inside(task):
            return await run_either(*forms, **given)


def _is_evaluator(reward: object) -> bool:
    return _evaluates_strings(reward) or (
        callable(reward) and not isinstance(reward, Runnable) and "outputs" in _parameters(reward)
    )


def _evaluates_strings(reward: object) -> bool:
    return callable(getattr(reward, "evaluate_strings", None)) or callable(
        getattr(reward, "aevaluate_strings", None)
    )


def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # a built-in one has no signature
        return frozenset()
