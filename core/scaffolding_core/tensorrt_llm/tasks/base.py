"""Task: an open object, with all that it holds in `vars(task)`."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from types import MemberDescriptorType
from typing import Any, Self, TypeVar

import scaffolding_core.tasks as core
from scaffolding_core.messages import Part
from scaffolding_core.tasks.roles import OF_RUN, RESULT, inputs_of
from scaffolding_core.tensorrt_llm.execution_scope import ExecutionScope
from scaffolding_core.tensorrt_llm.result import ScaffoldingOutput

__all__ = ["PARTS_SAID", "Task", "defaults_of", "opened"]


C = TypeVar("C", bound=type[core.Task])


PARTS_SAID: Mapping[str, str] = {
    name: part.name for name, part in vars(core.GenerationTask).items() if isinstance(part, Part)
}
"""The attributes of a generation that are parts of what the model said, and what they are called there."""


def opened(cls: C) -> C:
    """Let all that a task holds live in its `__dict__`, by hiding the core's slots and parts behind defaults."""
    hidden: dict[str, object] = {name: None for name in PARTS_SAID if isinstance(getattr(cls, name, None), Part)}
    for f in fields(cls):
        if isinstance(getattr(cls, f.name, None), MemberDescriptorType):
            hidden[f.name] = None if f.default is MISSING else f.default
    for name, default in hidden.items():
        setattr(cls, name, default)
    # Programs look up in it what a task has.
    cls.__annotations__ = {f.name: f.type for f in fields(cls)} | cls.__annotations__
    return cls


def defaults_of(cls: type[core.Task]) -> dict[str, object]:
    """What the fields of a new task hold."""
    made = {f.name: f.default_factory() for f in fields(cls) if f.default_factory is not MISSING}
    return made | {f.name: f.default for f in fields(cls) if f.default is not MISSING}


@opened
@dataclass(eq=False, repr=False)
class Task(core.Task):
    """One piece of work for a worker.

    Args:
        worker_tag: which worker runs it: a key of the `workers` given to `ScaffoldingLlm`.
        streaming_output_flag: whether its text is handed out as it is written.

    Attributes:
        streaming_output_list: what was handed out, each a `ScaffoldingOutput` with the text so far.
        execution_scope: where in its request it was yielded.
    """

    streaming_output_flag: bool = field(default=False, kw_only=True)
    streaming_output_list: list[ScaffoldingOutput] = field(default_factory=list, kw_only=True, metadata=RESULT)
    execution_scope: ExecutionScope | None = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)

    @classmethod
    def create_from_prompt(cls, prompt: Any) -> Any:  # Any: a subclass decides both
        """A task for a prompt; None, unless a subclass makes one."""
        return None

    def create_scaffolding_output(self) -> ScaffoldingOutput:
        """What the task holds as the output of a method."""
        return ScaffoldingOutput()

    def create_scaffolding_output_stream(self) -> list[ScaffoldingOutput]:
        """What it has handed out while it was written."""
        return self.streaming_output_list

    def copy(self) -> Self:
        """A task with the same inputs and no results; what the inputs refer to is shared."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        asked = inputs_of(type(self))
        for name, default in defaults_of(type(self)).items():
            if name not in asked:
                setattr(new, name, default)
        return new

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = object.__new__(type(self))
        memo[id(self)] = new
        new.__dict__.update(copy.deepcopy(self.__getstate__(), memo))
        return new

    def __getstate__(self) -> dict[str, object]:
        """All that it holds, but for the driver's."""
        return vars(self) | {"scope": None}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, f.name, None) == getattr(other, f.name, None) for f in fields(self))

    __hash__ = object.__hash__  # a task that runs is told from its equals

    def __repr__(self) -> str:
        new = defaults_of(type(self))
        told = (
            f"{f.name}={v!r}"
            for f in fields(self)
            if f.repr and (v := getattr(self, f.name, None)) != new.get(f.name)
        )
        return f"{type(self).__name__}({', '.join(told)})"
