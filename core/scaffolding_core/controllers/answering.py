"""What a method computes itself of a sample, off the event loop where that may be slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from scaffolding_core.answers import Answer, Extractor
from scaffolding_core.controller import Steps
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.task import ComputeTask

__all__ = ["extracted", "in_thread"]

Given = TypeVar("Given")
Result = TypeVar("Result")


def extracted(extractor: Extractor, message: AssistantMessage) -> Steps[Answer | None]:
    """The answer in a message; None if it has none."""
    if not extractor.costly:
        return extractor.extract(message)
    return (yield from in_thread(extractor.extract, message))


def in_thread(function: Callable[[Given], Result], given: Given) -> Steps[Result]:
    """What a function returns, called in a thread."""
    task = ComputeTask(function=lambda: function(given))
    yield [task]
    return cast("Result", task.result)  # a task's result has no type of its own
