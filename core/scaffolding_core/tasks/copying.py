"""Copies of tasks: the same inputs, and no results."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from scaffolding_core.tasks.roles import inputs_of

if TYPE_CHECKING:
    from scaffolding_core.tasks.task import Task

__all__ = ["copier"]

T = TypeVar("T", bound="Task")


@functools.cache
def copier(kind: type[T]) -> Callable[[T], T]:
    """What copies the tasks of a class: with the same inputs and no results; what the inputs refer to is shared.

    It is made with a line for each field: every sample is a copy, and `copy.copy` takes ten times as long.
    """
    inputs = inputs_of(kind)
    lines = ["def copier(task):", "new = create(kind)"]
    if kind.__dictoffset__:  # a subclass without slots
        lines.append("new.__dict__.update(task.__dict__)")
    lines += [f"new.{name} = task.{name}" for name in inputs]
    lines += [f"new.{f.name} = {f.default!r}" for f in fields(kind) if f.name not in inputs]
    made: dict[str, Callable[[T], T]] = {}
    exec("\n ".join([*lines, "return new"]), {"kind": kind, "create": object.__new__}, made)
    return made["copier"]
