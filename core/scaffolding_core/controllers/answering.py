"""What a method computes itself of a sample, off the event loop where that may be slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from scaffolding_core.answers import Accepted, Answer, Extractor, Reading
from scaffolding_core.controller import Steps
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.task import ComputeTask

__all__ = ["assigned", "in_thread", "read"]

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


def read(extractor: Extractor, message: AssistantMessage) -> Steps[Reading]:
    """The answer in a message, and how it was read."""
    if isinstance(extractor, Accepted):
        slow = extractor.accepts_slowly
        told = (yield from in_thread(extractor.before, message)) if slow else extractor.before(message)
        if isinstance(told, Reading):
            return told
        extractor, message = extractor.extractor, told
    if not extractor.costly:
        return extractor.read(message)
    if not isinstance(extractor, _MakesTasks):
        return (yield from in_thread(extractor.read, message))
    task = extractor.as_task(message)
    yield [task]
    return Reading(task.result, type(extractor).__name__ if task.result is not None else "")


def assigned(classes: Sorting[Choice], answer: Answer) -> Steps[Choice]:
    """What an answer votes for."""
    if not classes.costly:
        return classes.assign(answer)
    if not isinstance(classes, _MakesTasks):
        return (yield from in_thread(classes.assign, answer))
    task = classes.as_task(answer)
    yield [task]
    return cast("Choice", task.result)  # a task's result has no type of its own


def in_thread(function: Callable[[Given], Result], given: Given) -> Steps[Result]:
    """What a function returns, called in a thread."""
    task = ComputeTask(function=lambda: function(given))
    yield [task]
    return cast("Result", task.result)  # as above
