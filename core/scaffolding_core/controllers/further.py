"""Further: another method is asked the same, after the samples of a first one did not settle it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.samples import seeded
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["asked_further"]

_FURTHER = -1
"""What its seed is derived by: no sample has this index."""


def asked_further(
    method: Controller, tasks: Sequence[GenerationTask], before: Sequence[Candidate], options: Mapping[str, object]
) -> Steps[ScaffoldingOutput]:
    """What another method says of the same tasks, which get its results once it has ended.

    Args:
        method: is asked, with a seed of its own.
        tasks: keep their prompts.
        before: the samples of the first method; those of this one stand behind them in the output.
        options: of the method.
    """
    asked = [_copied(task) for task in tasks]
    output = yield from method.clone().process(asked, **options)
    for task, other in zip(tasks, asked, strict=True):
        task.take_results(other)
        task.usage, task.error = other.usage, other.error
    if not isinstance(output, ScaffoldingOutput):
        output = tasks[0].create_scaffolding_output()
    only = Candidate(0, output.message, output.answer, output.score, usage=tasks[0].usage, read_as=output.read_as)
    behind = [copy.copy(candidate) for candidate in output.candidates or [only]]
    for candidate in behind:
        candidate.index += 1 + max((each.index for each in before), default=-1)
    output.candidates = [*before, *behind]
    return output


def _copied(task: GenerationTask) -> GenerationTask:
    new = task.copy()
    new.group = task.group
    return seeded(new, _FURTHER)
