"""What a model is asked beside the answer, and what it says."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.apart import apart
from scaffolding_core.errors import BudgetExceededError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.tasks import GenerationTask

__all__ = ["said", "spoken"]


def said(method: Controller, asked: GenerationTask, options: Mapping[str, object] | None = None) -> Steps[str]:
    """What a method answers, without thoughts, to what is asked beside the answer; see `GenerationTask.aside`.

    Raises:
        BudgetExceededError: time was up before it had ended.
        WorkerError: it failed.
    """
    asked.set_aside()
    yield from apart(method.clone().process([asked], **(options or {})))
    if asked.finish_reason == "cancelled":  # the method made do with a part of the text
        raise asked.error or BudgetExceededError("time was up before the model had ended", "deadline")
    return spoken(asked.message())


def spoken(answer: AssistantMessage) -> str:
    """The text of an answer without thoughts."""
    return (without_thoughts(answer.text) or "").strip()
