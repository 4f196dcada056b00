"""What others have answered: how a model is shown it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scaffolding_core.controllers.judging.exhibits import Exhibit, answer_text, marked
from scaffolding_core.controllers.prompting.instructed import instructed
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["checked_question", "shown"]


def checked_question(tasks: Sequence[GenerationTask]) -> GenerationTask:
    """The only task, if more can be said behind what it asks.

    Raises:
        InvalidRequestError: not one task, or one whose prompt is token ids alone.
    """
    if len(tasks) != 1:
        raise InvalidRequestError(f"one question is worked on at a time: give one task, not {len(tasks)}")
    task = tasks[0]
    if not (task.messages if isinstance(task, ChatTask) else task.input_str):
        raise InvalidRequestError("answers are shown behind a question: give the prompt as text or messages")
    return task


def shown(task: GenerationTask, template: str, answers: Iterable[tuple[str, AssistantMessage]]) -> GenerationTask:
    """A copy of a task that is shown answers too, and is nobody's sibling.

    Args:
        task: asks the question.
        template: what is said behind it, with `{answers}` where they go.
        answers: each with what it is; shown without thoughts, between marks that no answer can hold.
    """
    exhibits = [Exhibit(name, answer_text(message, thoughts=False)) for name, message in answers]
    new = instructed(task, template.format(answers=marked(exhibits)))
    new.group = None
    return new
