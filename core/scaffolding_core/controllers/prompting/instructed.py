"""A task with more said behind its question; the task itself keeps its prompt."""

from __future__ import annotations

from scaffolding_core.messages import RoleMessage, UserMessage
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["instructed", "question_of"]


def instructed(task: GenerationTask, text: str) -> GenerationTask:
    """A copy that says this too, behind the prompt, or behind the last user message of a chat."""
    new = task.copy()
    new.group = task.group
    if isinstance(new, ChatTask):
        new.messages = _instructed_messages(new.messages, text)
    elif new.input_str is not None:
        new.input_str = f"{new.input_str}\n\n{text}"
    return new


def question_of(task: GenerationTask) -> str:
    """The prompt, or the text of the last user message of a chat; empty where there is none."""
    if not isinstance(task, ChatTask):
        return task.input_str or ""
    return next((message.text for message in reversed(task.messages) if isinstance(message, UserMessage)), "")


def _instructed_messages(messages: list[RoleMessage], text: str) -> list[RoleMessage]:
    last = messages[-1] if messages else None
    if not isinstance(last, UserMessage):
        return [*messages, UserMessage(text)]
    return [*messages[:-1], last.with_paragraph(text)]
