"""A task with more said behind its question; the task itself keeps its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from scaffolding_core.messages import AssistantMessage, RoleMessage, SystemMessage, UserMessage
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["instructed", "question_of", "told_first", "with_examples"]


def instructed(task: GenerationTask, text: str) -> GenerationTask:
    """A copy that says this too, behind the prompt, or behind the last user message of a chat."""
    new = task.copy()
    new.group = task.group
    if isinstance(new, ChatTask):
        new.messages = _instructed_messages(new.messages, text)
    elif new.input_str is not None:
        new.input_str = f"{new.input_str}\n\n{text}"
    return new


def told_first(task: GenerationTask, text: str) -> GenerationTask:
    """A copy that says this too, before the prompt, or in the system message that a chat begins with."""
    new = task.copy()
    new.group = task.group
    if isinstance(new, ChatTask):
        first = new.messages[0] if new.messages else None
        told = isinstance(first, SystemMessage)
        system = first.with_paragraph(text) if isinstance(first, SystemMessage) else SystemMessage(text)
        new.messages = [system, *new.messages[told:]]
    elif new.input_str is not None:
        new.input_str = f"{text}\n\n{new.input_str}"
    return new


def with_examples(task: GenerationTask, examples: Sequence[tuple[str, str]]) -> GenerationTask:
    """A copy with questions and their answers before its own: as turns of a chat, behind its system messages."""
    if not examples:
        return task
    new = task.copy()
    new.group = task.group
    if isinstance(new, ChatTask):
        system = [*takewhile(lambda message: isinstance(message, SystemMessage), new.messages)]
        turns = [turn for asked, said in examples for turn in (UserMessage(asked), AssistantMessage(said))]
        new.messages = [*system, *turns, *new.messages[len(system) :]]
    elif new.input_str is not None:
        shown = "".join(f"Question: {asked}\nAnswer: {said}\n\n" for asked, said in examples)
        new.input_str = f"{shown}Question: {new.input_str}\nAnswer:"
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
