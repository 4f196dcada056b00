"""What the fields of a task are for: inputs, unless they are declared as results or as of one run."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaffolding_core.tasks.task import Task

__all__ = ["OF_RUN", "RESULT", "inputs_of", "results_of"]

_ROLE = "scaffolding_core.role"

RESULT: Mapping[str, str] = {_ROLE: "result"}
"""Metadata of a field that the worker fills."""

OF_RUN: Mapping[str, str] = {_ROLE: "run"}
"""Metadata of a field that belongs to one run of the task: it is neither asked nor answered."""


def inputs_of(kind: type[Task]) -> tuple[str, ...]:
    """The names of the fields that say what to do."""
    return _of_role(kind, None)  # type: ignore[arg-type]  # a class is hashable


def results_of(kind: type[Task]) -> tuple[str, ...]:
    """The names of the fields that hold what came back."""
    return _of_role(kind, RESULT[_ROLE])  # type: ignore[arg-type]  # as above


@functools.cache
def _of_role(kind: type, role: str | None) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.metadata.get(_ROLE) == role)
