"""Reading answers out of messages and sorting them into classes, off the event loop where that may be slow."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, cast

from scaffolding_core.answers import Answer, Extractor
from scaffolding_core.controller import Steps
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.task import ComputeTask

__all__ = ["Sorting", "assigned", "extracted"]

Choice = TypeVar("Choice")
Choice_out = TypeVar("Choice_out", covariant=True)


class Sorting(Protocol[Choice_out]):
    """`Classes`, or what sorts answers in another way."""

    costly: bool

    # Any: what it takes is what the extractor beside it finds.
    def assign(self, answer: Any) -> Choice_out:
        """What an answer votes for."""


def extracted(extractor: Extractor, message: AssistantMessage) -> Steps[Answer | None]:
    """The answer in a message; None if it has none."""
    if not extractor.costly:
        return extractor.extract(message)
    as_task = getattr(extractor, "as_task", None)
    task = as_task(message) if as_task else ComputeTask(function=lambda: extractor.extract(message))
    yield [task]
    return task.result


def assigned(classes: Sorting[Choice], answer: Answer) -> Steps[Choice]:
    """What an answer votes for."""
    if not classes.costly:
        return classes.assign(answer)
    as_task = getattr(classes, "as_task", None)
    task = as_task(answer) if as_task else ComputeTask(function=lambda: classes.assign(answer))
    yield [task]
    return cast("Choice", task.result)
