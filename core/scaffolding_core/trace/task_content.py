"""What a task asks and what came back, as plain data: tasks are read and filled for a record here alone."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, fields
from hashlib import blake2b

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import JsonObject, JsonValue
from scaffolding_core.tasks import SAMPLING_PARAMETERS, Task, results_of
from scaffolding_core.trace.plain_data import (
    HeldOnlyHereError,
    Parts,
    everything,
    from_plain,
    to_plain,
    what_counts,
)

__all__ = ["TaskContent", "came_back", "content_of", "fill_results", "role_of"]

_APART = frozenset({"worker_tag", "usage", "error"})
"""Fields of a task that a record tells by other names, or not at all."""

_LEFT_OUT = "$not_kept"
"""Marks a result that no file can hold; a replay leaves it unset."""


@dataclass(frozen=True, slots=True)
class TaskContent:
    """What a task asks of whom: calls with the same content can be taken for one another.

    Attributes:
        task: kind of task.
        role: tag of the worker.
        model: the worker's model; None if nobody knows.
        inputs: what is asked, by field.
        parameters: the sampling parameters that are set.
    """

    task: str
    role: JsonValue
    model: str | None
    inputs: JsonObject
    parameters: JsonObject

    def digest(self) -> str:
        """A hash of it."""
        content = [self.task, self.role, self.model, self.inputs, self.parameters]
        return blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


def content_of(task: Task, model: str | None) -> TaskContent:
    """What a task asks of a model; a task that goes on asks from where it stopped, so its text so far counts too.

    Raises:
        InvalidRequestError: a field holds what no file can hold.
    """
    results = () if task.goes_on else results_of(type(task))
    held = {name: value for name, value in _held(task).items() if name not in _APART and name not in results}
    asked = {name: _plain_input(task, name, value) for name, value in held.items()}
    return TaskContent(
        type(task).__name__,
        role_of(task),
        model,
        {name: value for name, value in asked.items() if name not in SAMPLING_PARAMETERS},
        {name: value for name, value in asked.items() if name in SAMPLING_PARAMETERS},
    )


def role_of(task: Task) -> JsonValue:
    """The tag of the worker.

    Raises:
        InvalidRequestError: it is what no file can hold.
    """
    return _plain_input(task, "worker_tag", task.worker_tag)


def came_back(task: Task, content: TaskContent) -> JsonObject:
    """What came back, by field: its results, and whatever else the worker has set.

    Args:
        task: that has run.
        content: what it asked.
    """
    asked, results = {**content.inputs, **content.parameters}, results_of(type(task))
    return {
        name: _plain_result(value, everything)
        for name, value in _held(task).items()
        if name in results or (name not in _APART and _plain_result(value, what_counts) != asked.get(name))
    }


def fill_results(task: Task, results: JsonObject) -> None:
    """Give a task what came back."""
    for name, value in results.items():
        if not (isinstance(value, dict) and _LEFT_OUT in value):
            setattr(task, name, from_plain(value))


def _held(task: Task) -> dict[str, object]:
    """What a task holds, by field; what its repr hides belongs to this process alone."""
    shown, all_names = _fields(type(task))  # type: ignore[arg-type]  # a class is hashable
    held = {name: value for name in shown if (value := getattr(task, name)) is not None}
    own = getattr(task, "__dict__", {})  # of a subclass without slots
    return held | {name: value for name, value in own.items() if name not in all_names and value is not None}


@functools.cache
def _fields(cls: type) -> tuple[tuple[str, ...], frozenset[str]]:
    """Names of a task's fields: those that its repr shows, and all."""
    return tuple(f.name for f in fields(cls) if f.repr), frozenset(f.name for f in fields(cls))


def _plain_input(task: Task, name: str, value: object) -> JsonValue:
    try:
        return to_plain(value, what_counts)
    except HeldOnlyHereError as error:
        raise InvalidRequestError(
            f"{name} of a {type(task).__name__} holds a {error}, which no recording can keep: give plain data"
        ) from error


def _plain_result(value: object, parts: Parts) -> JsonValue:
    try:
        return to_plain(value, parts)
    except HeldOnlyHereError:
        return {_LEFT_OUT: repr(value)}
