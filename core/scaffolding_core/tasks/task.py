"""Task: one piece of work for a worker, its inputs, and, once it ran, its results.

A task's fields are None until somebody sets them: the caller first, then a controller's defaults, then the
worker's own. Tasks are plain data: they know no backend and no event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import MISSING, dataclass, field, fields
from typing import ClassVar, Self

from scaffolding_core.messages import Usage
from scaffolding_core.results import Hints, ScaffoldingOutput
from scaffolding_core.tasks.copying import copier
from scaffolding_core.tasks.roles import OF_RUN, RESULT, results_of
from scaffolding_core.tasks.scope import Scope

__all__ = ["Task"]


@dataclass(slots=True, eq=False, repr=False)
class Task:
    """One piece of work for a worker.

    Args:
        worker_tag: which worker runs it: a key of the `workers` given to `ScaffoldingLlm`.
        custom_input_params: whatever a worker and a controller of yours agree on.
        custom_output_params: as above, filled by the worker.

    Attributes:
        usage: what it cost; None until it ran.
        error: why it failed, where it did.
        hints: what its server was told of it besides what it asks; None for nothing.
        scope: the request it runs in; set by the driver.
    """

    is_sample: ClassVar[bool] = False
    """Whether a budget of samples counts it."""
    goes_on: ClassVar[bool] = False
    """Whether it is run again to go on where it stopped; see `run_in_steps`."""
    needs_worker: ClassVar[bool] = True
    """Whether a worker runs it."""

    worker_tag: Hashable = None
    custom_input_params: dict[str, object] | None = None
    custom_output_params: dict[str, object] | None = field(default=None, kw_only=True, metadata=RESULT)
    usage: Usage | None = field(default=None, kw_only=True, metadata=OF_RUN)
    error: Exception | None = field(default=None, kw_only=True, metadata=OF_RUN)
    hints: Hints | None = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)
    scope: Scope | None = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)

    def copy(self) -> Self:
        """A task with the same inputs and no results; what the inputs refer to is shared."""
        copy: Callable[[Self], Self] = copier(type(self))  # type: ignore[arg-type]  # a class is hashable
        return copy(self)

    def take_results(self, other: Task) -> None:
        """Take over what another task got back, as far as this kind of task has it."""
        for name in results_of(type(self)):
            if hasattr(other, name):
                setattr(self, name, getattr(other, name))

    def create_scaffolding_output(self) -> ScaffoldingOutput:
        """What the task holds as the output of a method."""
        return ScaffoldingOutput()

    def __init_subclass__(cls) -> None:
        own_init = "__init__" in vars(cls) and "__dataclass_fields__" not in vars(cls)
        if own_init:  # it may not call this one's, and then sets no defaults
            cls.__getattr__ = _default_of_field  # type: ignore[attr-defined]  # only here: it slows every read

    def __repr__(self) -> str:
        given = (f"{f.name}={v!r}" for f in fields(self) if f.repr and (v := getattr(self, f.name)) is not None)
        return f"{type(self).__name__}({', '.join(given)})"


def _default_of_field(task: Task, name: str) -> object:
    for f in fields(task):
        if f.name == name and f.default is not MISSING:
            return f.default
    raise AttributeError(f"{type(task).__name__!r} object has no attribute {name!r}")
