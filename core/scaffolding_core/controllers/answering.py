"""Reading answers out of messages and sorting them into classes, off the event loop where that may be slow."""

from __future__ import annotations

from scaffolding_core.answers import Answer, Classes, Extractor
from scaffolding_core.controller import Steps
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.task import ComputeTask

__all__ = ["assigned", "extracted"]


def extracted(extractor: Extractor, message: AssistantMessage) -> Steps[Answer | None]:
    """The answer in a message; None if it has none."""
    if not extractor.costly:
        return extractor.extract(message)
    as_task = getattr(extractor, "as_task", None)
    task = as_task(message) if as_task else ComputeTask(function=lambda: extractor.extract(message))
    yield [task]
    return task.result


def assigned(classes: Classes, answer: Answer) -> Steps[int]:
    """The class of an answer."""
    if not classes.costly:
        return classes.assign(answer)
    as_task = getattr(classes, "as_task", None)
    task = as_task(answer) if as_task else ComputeTask(function=lambda: classes.assign(answer))
    yield [task]
    assert isinstance(task.result, int)
    return task.result
