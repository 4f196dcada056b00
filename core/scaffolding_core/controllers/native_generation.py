"""One generation: what a method is made of."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping
from enum import Enum
from typing import ClassVar, Self

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import SAMPLING_PARAMETERS, GenerationTask

__all__ = ["NativeGenerationController"]


class NativeGenerationController(Controller):
    """Answers a prompt with one generation.

    Cost: one generation for each task; several tasks run at the same time.

    Args:
        sampling_params: defaults for what the caller leaves unset; any sampling parameter of a task.
        streaming: accepted for TensorRT-LLM's call shape; text streams whenever somebody listens.
        role: whose worker generates, whatever the tasks say; None for `WorkerTag.GENERATION`, unless a task names
            another.

    Raises:
        InvalidRequestError: an unknown sampling parameter, or no mapping.
    """

    class WorkerTag(str, Enum):
        """The worker that generates."""

        GENERATION = "generation"

    stateless: ClassVar[bool] = True
    streams_answer = True
    _role: Hashable = None

    def __init__(
        self,
        sampling_params: Mapping[str, object] | None = None,
        streaming: bool = False,
        *,
        role: Hashable = None,
    ) -> None:
        if not isinstance(sampling_params or {}, Mapping):
            raise InvalidRequestError(f"sampling_params must map names to values, got {sampling_params!r}")
        self.sampling_params = dict(sampling_params or {})
        self._role = role
        unknown = sorted(self.sampling_params.keys() - SAMPLING_PARAMETERS, key=str)
        if unknown:
            raise InvalidRequestError(
                f"{unknown[0]!r} is no sampling parameter; known ones: {', '.join(sorted(SAMPLING_PARAMETERS))}"
            )

    def process(self, tasks: list[GenerationTask]) -> Steps[ScaffoldingOutput | None]:
        """Run the tasks; a deadline that cuts a lone one midway keeps the text it has, as the output."""
        for task in tasks:
            self.prepare(task)
        try:
            yield tasks
        except BudgetExceededError:
            if len(tasks) > 1 or not tasks[0].output_str:
                raise
            return self._cut_short(tasks[0])
        return None

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """The role that generates."""
        return {self.WorkerTag.GENERATION if self._role is None else self._role: Capabilities()}

    def of_role(self, role: Hashable) -> Self:
        """A copy whose generations a role's worker makes."""
        new = copy.copy(self)
        new._role = role
        return new

    def prepare(self, task: GenerationTask) -> GenerationTask:
        """Name the worker and fill in the defaults."""
        if self._role is not None:
            task.worker_tag = self._role
        elif task.worker_tag is None:
            task.worker_tag = self.WorkerTag.GENERATION
        if self.sampling_params:
            task.fill(self.sampling_params)
        return task

    def as_task(self, task: GenerationTask) -> GenerationTask | None:
        """The prepared task, unless a subclass does more in `process`."""
        return self.prepare(task) if type(self).process is NativeGenerationController.process else None

    def _cut_short(self, task: GenerationTask) -> ScaffoldingOutput:
        task.finish_reason = "cancelled"
        return ScaffoldingOutput(task.message(), stopped="budget", method=type(self).__name__)
