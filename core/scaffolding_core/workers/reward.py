"""reward_worker: a function of prompt and answer as the worker that scores."""

from __future__ import annotations

from collections.abc import Callable

from scaffolding_core.task import RewardTask, Task
from scaffolding_core.worker import Worker
from scaffolding_core.workers.function import FunctionWorker

__all__ = ["RewardFunction", "prompt_text", "reward_worker"]

RewardFunction = Callable[[str, str], float]
"""Takes the prompt and an answer, returns a score; higher is better."""


def reward_worker(reward: RewardFunction | Worker) -> Worker:
    """What scores answers, as a worker; a function runs in threads.

    Args:
        reward: a function of prompt and answer, or a worker that stays as it is.
    """
    if isinstance(reward, Worker):
        return reward

    def score(task: Task) -> float:
        assert isinstance(task, RewardTask)
        return float(reward(prompt_text(task), task.response.text if task.response is not None else ""))

    return FunctionWorker(score)


def prompt_text(task: RewardTask) -> str:
    """The prompt of an answer to score; a chat as its texts, one after another."""
    if task.input_str is not None:
        return task.input_str
    return "\n\n".join(message.text for message in task.messages or ())
