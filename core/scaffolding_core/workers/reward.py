"""reward_worker: a function of prompt and answer as the worker that scores."""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias

from scaffolding_core.errors import InvalidRequestError, ScaffoldingError, WorkerError
from scaffolding_core.runs import in_run_of
from scaffolding_core.tasks import RewardTask, Task
from scaffolding_core.worker import Worker
from scaffolding_core.workers.function import FunctionWorker, is_async

__all__ = ["RewardFunction", "check_reward_function", "prompt_text", "reward_worker"]

RewardFunction: TypeAlias = Callable[[str, str], float | Awaitable[float]]
"""Takes the prompt and an answer, returns a score; higher is better."""


def reward_worker(reward: RewardFunction | Worker) -> Worker:
    """What scores answers, as a worker; a plain function runs in threads, an async one on the event loop.

    Args:
        reward: a function of prompt and answer, or a worker that stays as it is.

    Raises:
        InvalidRequestError: it cannot be called with a prompt and an answer.
    """
    if isinstance(reward, Worker):
        return reward
    check_reward_function(reward)

    name = getattr(reward, "__name__", type(reward).__name__)

    def asked(task: Task) -> Any:  # Any: a score, or what gives one when awaited
        assert isinstance(task, RewardTask)
        return reward(prompt_text(task), task.response.text if task.response is not None else "")

    async def awaited(task: Task) -> float:
        with _named(name), _in_its_run(task):
            return _number(await asked(task))

    def returned(task: Task) -> float:
        with _named(name), _in_its_run(task):
            return _number(asked(task))

    return FunctionWorker(awaited if is_async(reward) else returned)


def check_reward_function(reward: Callable[..., object]) -> None:
    """Refuse what cannot be called with a prompt and an answer, before any answer is paid for.

    Raises:
        InvalidRequestError: it cannot.
    """
    try:
        signature = inspect.signature(reward)
    except (TypeError, ValueError):  # a built-in one has no signature
        return
    try:
        signature.bind("", "")
    except TypeError as error:
        name = getattr(reward, "__name__", type(reward).__name__)
        raise InvalidRequestError(
            f"a reward is called with prompt and answer, which {name}{signature} does not take: {error}"
        ) from error


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say whose failure it is."""
    try:
        yield
    except ScaffoldingError:
        raise
    except Exception as error:
        raise WorkerError(f"the reward {name} failed: {type(error).__name__}: {error}") from error


def _in_its_run(task: Task) -> AbstractContextManager[None]:
    return in_run_of(task.response if isinstance(task, RewardTask) else None)


def _number(score: Any) -> float:  # Any: whatever the function returned
    number = float(score)
    if not math.isfinite(number):
        raise ValueError(f"it gave {score!r} for a score, and must give a finite number")
    return number


def prompt_text(task: RewardTask) -> str:
    """The prompt of an answer to score; a chat as its texts, one after another."""
    if task.input_str is not None:
        return task.input_str
    return "\n\n".join(message.text for message in task.messages or ())
