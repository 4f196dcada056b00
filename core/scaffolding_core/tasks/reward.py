"""RewardTask: score an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scaffolding_core.messages import AssistantMessage, RoleMessage
from scaffolding_core.tasks.chat import ChatTask
from scaffolding_core.tasks.generation import GenerationTask
from scaffolding_core.tasks.roles import RESULT
from scaffolding_core.tasks.task import Task

__all__ = ["RewardTask"]


@dataclass(slots=True, eq=False, repr=False)
class RewardTask(Task):
    """Score an answer.

    Args:
        input_str: the prompt as text.
        input_tokens: the prompt as token ids.
        messages: the prompt as a chat.
        response: the answer to score.

    Attributes:
        reward: the score; higher is better.
        step_rewards: a score for each step, from a process reward model.
        verdict: whether the answer passes, where the judge says so; it goes before the score.
        feedback: the judge's words.
    """

    input_str: str | None = None
    input_tokens: Sequence[int] | None = field(default=None, kw_only=True)
    messages: list[RoleMessage] | None = field(default=None, kw_only=True)
    response: AssistantMessage | None = field(default=None, kw_only=True)
    reward: float | None = field(default=None, kw_only=True, metadata=RESULT)
    step_rewards: list[float] | None = field(default=None, kw_only=True, metadata=RESULT)
    verdict: bool | None = field(default=None, kw_only=True, metadata=RESULT)
    feedback: str | None = field(default=None, kw_only=True, metadata=RESULT)

    @classmethod
    def for_answer(cls, task: GenerationTask) -> RewardTask:
        """A task that scores the result of another."""
        return cls(
            input_str=task.input_str,
            input_tokens=task.input_tokens,
            messages=task.messages if isinstance(task, ChatTask) else None,
            response=task.message(),
        )
