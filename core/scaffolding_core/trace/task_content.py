"""What a task asks and what came back, as plain data: tasks are read and filled for a record here alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from hashlib import blake2b

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import JsonObject, JsonValue
from scaffolding_core.tasks import SAMPLING_PARAMETERS, Task, result_fields
from scaffolding_core.trace.plain_data import HeldOnlyHereError, from_plain, to_plain

__all__ = ["TaskContent", "content_of", "fill_results", "results_of", "role_of"]

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
    skipped = _APART if task.goes_on else _APART | result_fields(type(task))
    asked = {name: _plain_input(task, name, value) for name, value in _held(task).items() if name not in skipped}
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


def results_of(task: Task, content: TaskContent) -> JsonObject:
    """What came back, by field: its results, and whatever else the worker has set.

    Args:
        task: that has run.
        content: what it asked.
    """
    results, asked = result_fields(type(task)), {**content.inputs, **content.parameters}
    found = {name: _plain_result(value) for name, value in _held(task).items() if name not in _APART}
    return {name: value for name, value in found.items() if name in results or asked.get(name) != value}


def fill_results(task: Task, results: JsonObject) -> None:
    """Give a task what came back."""
    for name, value in results.items():
        if not (isinstance(value, dict) and _LEFT_OUT in value):
            setattr(task, name, from_plain(value))


def _held(task: Task) -> dict[str, object]:
    """What a task holds, by field; what its repr hides belongs to this process alone."""
    held: dict[str, object] = {f.name: getattr(task, f.name) for f in fields(task) if f.repr}
    hidden = {f.name for f in fields(task)}
    held |= {name: value for name, value in getattr(task, "__dict__", {}).items() if name not in hidden}
    return {name: value for name, value in held.items() if value is not None}


def _plain_input(task: Task, name: str, value: object) -> JsonValue:
    try:
        return to_plain(value)
    except HeldOnlyHereError as error:
        raise InvalidRequestError(
            f"{name} of a {type(task).__name__} holds a {error}, which no recording can keep: give plain data"
        ) from error


def _plain_result(value: object) -> JsonValue:
    try:
        return to_plain(value)
    except HeldOnlyHereError:
        return {_LEFT_OUT: repr(value)}
