"""What a method computes itself of a sample, off the event loop where that may be slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from scaffolding_core.answers import Accepted, Answer, Extractor, Reading
from scaffolding_core.controller import Steps
from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.results import Candidate
from scaffolding_core.tasks import ComputeTask

__all__ = ["compared", "in_thread", "is_long", "read"]

LONG = 10_000
"""Characters of a message from which on reading it, and comparing what is in it, may take milliseconds."""

Given = TypeVar("Given")
Result = TypeVar("Result")
Choice = TypeVar("Choice", covariant=True)


class Sorting(Protocol[Choice]):
    """`Classes`, or what sorts answers in another way."""

    costly: bool

    # Any: what it takes is what the extractor beside it finds.
    def assign(self, answer: Any) -> Choice:
        """What an answer votes for."""


@runtime_checkable
class _MakesTasks(Protocol):
    """An extractor, or classes, that make a task of their own of what they are asked."""

    def as_task(self, given: Any) -> ComputeTask:  # Any: a message, or an answer
        """The task; its result is what was asked."""


def compared(
    extractor: Extractor, classes: Sorting[Choice], candidate: Candidate, *, trusting: bool
) -> Steps[Choice | None]:
    """What a sample votes for, once its answer is read; None if it has none.

    Args:
        extractor: finds the answer.
        classes: what answers vote for.
        candidate: the sample; it is given its answer.
        trusting: an answer that its own method found counts as it is.

    Raises:
        BudgetExceededError: time was up before that.
    """
    message = candidate.message
    long = is_long(message)
    if candidate.answer is None or not trusting:
        reading = (yield from _read(extractor, message)) if long or extractor.costly else extractor.read(message)
        candidate.answer, candidate.read_as = reading
    if candidate.answer is None:
        return None
    if long or classes.costly:
        return (yield from _assigned(classes, candidate.answer))
    return classes.assign(candidate.answer)


def read(extractor: Extractor, message: AssistantMessage) -> Steps[Reading]:
    """The answer in a message, and how it was read.

    Raises:
        BudgetExceededError: time was up before it was read.
    """
    if extractor.costly or is_long(message):
        return (yield from _read(extractor, message))
    return extractor.read(message)


def in_thread(function: Callable[[Given], Result], given: Given) -> Steps[Result]:
    """What a function returns, called in a thread.

    Raises:
        BudgetExceededError: time was up before it returned.
        Exception: whatever the function raises.
    """
    task = ComputeTask(function=lambda: function(given))
    try:
        yield [task]
    except WorkerError as error:
        raise error.__cause__ if isinstance(error.__cause__, Exception) else error from None
    return cast("Result", task.result)  # a task's result has no type of its own


def _read(extractor: Extractor, message: AssistantMessage) -> Steps[Reading]:
    if isinstance(extractor, Accepted) and extractor.costly and isinstance(extractor.extractor, _MakesTasks):
        told = yield from in_thread(extractor.before, message)
        if isinstance(told, Reading):
            return told
        extractor, message = extractor.extractor, told
    if not (extractor.costly and isinstance(extractor, _MakesTasks)):
        return (yield from in_thread(extractor.read, message))
    task = extractor.as_task(message)
    yield [task]
    return Reading(task.result, type(extractor).__name__ if task.result is not None else "")


def _assigned(classes: Sorting[Choice], answer: Answer) -> Steps[Choice]:
    if not (classes.costly and isinstance(classes, _MakesTasks)):
        return (yield from in_thread(classes.assign, answer))
    task = classes.as_task(answer)
    yield [task]
    return cast("Choice", task.result)  # as above


def is_long(message: AssistantMessage) -> bool:
    """Whether reading it, or comparing what is in it, may take milliseconds."""
    content = message.content
    said = len(content) if isinstance(content, str) else len(message.text)
    if message.reasoning:
        said += len(message.reasoning)
    if message.tool_calls:
        said += sum(len(call.arguments) for call in message.tool_calls)
    return said > LONG
