"""Controller and ParallelProcess."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import scaffolding_core.controller as core
from scaffolding_core.controller import Steps
from scaffolding_core.errors import ControllerError
from scaffolding_core.tasks import SAMPLING_PARAMETERS
from scaffolding_core.tensorrt_llm.task import GenerationTask
from scaffolding_core.tensorrt_llm.watched import generator_of

__all__ = ["Controller", "ParallelProcess"]


class Controller(core.Controller):
    """A method. Subclass it and override `process`, or `generate` where the prompt is no text.

    Attributes:
        task_collections: what watches it, by name.
    """

    task_collections: dict[str, Any]  # Any: task collections, which know controllers

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # Any: of the subclass's `__init__`
        """A controller that has its collections, whatever its `__init__` calls."""
        new = super().__new__(cls)
        new.task_collections = {}
        return new

    def clone(self) -> Self:
        """A deep copy: what belongs to one request, or one sample, is not seen by another.

        Raises:
            ControllerError: it holds what cannot be copied.
        """
        try:
            return copy.deepcopy(self)
        except Exception as error:
            raise ControllerError(
                f"{type(self).__name__} cannot be copied for a request ({error}): override clone()"
            ) from error

    def process(self, tasks: list[Any], **kwargs: Any) -> Steps[Any]:
        """Run the method on tasks, which hold the results afterwards."""
        return super().process(tasks, **kwargs)

    def generate(self, prompt: Any, **kwargs: Any) -> Steps[Any]:  # Any: a subclass decides both
        """Run the method on a prompt; returns its output. Sampling parameters may be among the options."""
        task = GenerationTask.create_from_prompt(prompt)
        for name in SAMPLING_PARAMETERS & kwargs.keys():
            setattr(task, name, kwargs.pop(name))
        yield from generator_of(self.process([task], **kwargs))
        return task.create_scaffolding_output()


class ParallelProcess(core.ParallelProcess):
    """Yield it to run sub-controllers at the same time.

    Args:
        controllers: one for each branch.
        tasks_list: the tasks of each.
        kwargs_list: the options of each.
        branch_paths: for each, its path from the request down, where programs keep a tree of their own; None
            numbers them under the branch that yields it.

    Raises:
        InvalidRequestError: lists of different lengths.
    """

    def __init__(
        self,
        controllers: Sequence[core.Controller],
        tasks_list: Sequence[list[Any]],
        kwargs_list: Sequence[Mapping[str, object]] | None = None,
        branch_paths: Sequence[Sequence[int]] | None = None,
    ) -> None:
        super().__init__(controllers, tasks_list, kwargs_list)
        self.branch_paths = branch_paths

    @classmethod
    def from_generators(
        cls, generators: Iterable[Steps[Any]], branch_paths: Sequence[Sequence[int]] | None = None
    ) -> Self:
        """Run generators that stand already."""
        new = super().from_generators(generators)
        new.branch_paths = branch_paths
        return new
