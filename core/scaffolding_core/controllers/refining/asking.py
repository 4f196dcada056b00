"""Asking on: what a model is asked with its answers in view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.prompting.beside import spoken
from scaffolding_core.controllers.prompting.instructed import instructed
from scaffolding_core.errors import (
    BudgetExceededError,
    InsufficientSamplesError,
    InvalidRequestError,
    WorkerError,
)
from scaffolding_core.messages import AssistantMessage, UserMessage
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["FAILURES", "checked_question", "followed_up", "generated", "same", "shown", "told"]

FAILURES = (BudgetExceededError, InsufficientSamplesError, WorkerError)
"""How a call may fail that a method can do without, once it has an answer."""
_NOTHING = "(nothing)"
"""What stands for an answer without a text; some servers take no empty one."""


def checked_question(tasks: Sequence[GenerationTask]) -> GenerationTask:
    """The only task, if more can be said behind what it asks.

    Raises:
        InvalidRequestError: not one task, or one whose prompt is token ids alone.
    """
    if len(tasks) != 1:
        raise InvalidRequestError(f"an answer is worked on at a time: give one task, not {len(tasks)}")
    task = tasks[0]
    if not (task.messages if isinstance(task, ChatTask) else task.input_str):
        raise InvalidRequestError("there is nothing to say more behind: give the prompt as text or messages")
    return task


def same(task: GenerationTask) -> GenerationTask:
    """A task that asks the same, as a sibling of those that the task is one of."""
    new = task.copy()
    new.group = task.group
    return new


def told(task: GenerationTask, text: str) -> GenerationTask:
    """A task that asks the same with this behind it, and is nobody's sibling."""
    new = instructed(task, text)
    new.group = None
    return new


def followed_up(task: GenerationTask, answer: AssistantMessage, text: str) -> GenerationTask:
    """A task that goes on behind an answer, shown without thoughts: in a chat as the user's next turn."""
    new, before = task.copy(), spoken(answer) or _NOTHING
    if isinstance(new, ChatTask):
        new.add_messages([AssistantMessage(before), UserMessage(text)])
    else:
        new.input_str = f"{new.input_str or ''}\n\nA previous answer:\n{before}\n\n{text}"
    return new


def generated(
    method: Controller, task: GenerationTask, asked: GenerationTask, options: Mapping[str, object]
) -> Steps[ScaffoldingOutput]:
    """What a method answers to what is asked for a task, which gets the results; its score is none of ours."""
    try:
        output = yield from method.clone().process([asked], **options)
    finally:
        task.take_results(asked)
        task.usage, task.error = asked.usage, asked.error
    if not isinstance(output, ScaffoldingOutput):
        return task.create_scaffolding_output()
    output.score = output.judgement = None
    return output


def shown(answers: Iterable[AssistantMessage]) -> str:
    """Answers as a model is shown them, numbered from 1, without thoughts."""
    texts = (spoken(answer) or _NOTHING for answer in answers)
    return "\n\n".join(f"Answer {number}:\n{text}" for number, text in enumerate(texts, start=1))
