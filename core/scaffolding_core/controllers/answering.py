"""What a method computes itself of a sample, off the event loop where that may be slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from scaffolding_core.answers import Answer, Extractor
from scaffolding_core.controller import Steps
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.task import ComputeTask

__all__ = ["computed", "extracted", "in_thread"]

Given = TypeVar("Given")
Result = TypeVar("Result")


@runtime_checkable
class _MakesTasks(Protocol):
    """An extractor, or classes, that make a task of their own of what they are asked."""

    def as_task(self, given: Any) -> ComputeTask:  # Any: a message, or an answer
        """The task; its result is what was asked."""


def extracted(extractor: Extractor, message: AssistantMessage) -> Steps[Answer | None]:
    """The answer in a message; None if it has none."""
    if not extractor.costly:
        return extractor.extract(message)
    return (yield from computed(extractor, extractor.extract, message))


def computed(part: object, function: Callable[[Given], Result], given: Given) -> Steps[Result]:
    """What a costly part of a method is asked: by a task of its own, or by its function in a thread."""
    if not isinstance(part, _MakesTasks):
        return (yield from in_thread(function, given))
    task = part.as_task(given)
    yield [task]
    return cast("Result", task.result)  # a task's result has no type of its own


def in_thread(function: Callable[[Given], Result], given: Given) -> Steps[Result]:
    """What a function returns, called in a thread."""
    task = ComputeTask(function=lambda: function(given))
    yield [task]
    return cast("Result", task.result)  # as above
