"""What finds the answers to a task."""

from __future__ import annotations

from scaffolding_core.answers import Acceptance, Accepted, Answers, Extractor, Structure, tools_of
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["extractor_for", "structures_for"]

_READS_CALLS = ("auto", "calls")


def extractor_for(task: GenerationTask, answers: Answers) -> Extractor:
    """What finds the answers to a task, of those that whoever acts on them accepts."""
    acceptance = _acceptance_of(task)
    if acceptance is not None:
        return Accepted(answers, acceptance)
    if answers.kind and answers.kind not in _READS_CALLS:
        return Accepted(answers, Acceptance())
    return answers.extractor


def structures_for(task: GenerationTask, extractor: Extractor) -> Extractor:
    """What finds the structures to a task, of those that whoever acts on them accepts."""
    acceptance = _acceptance_of(task)
    if acceptance is None:
        return extractor
    if acceptance.structure is not None and acceptance.tools is None and isinstance(extractor, Structure):
        return acceptance.structure
    return Accepted(Answers.pair(extractor, None), acceptance)


def _acceptance_of(task: GenerationTask) -> Acceptance | None:
    """What is accepted of the answers to a task: what it says, else calls of its tools."""
    if task.acceptance is None and isinstance(task, ChatTask) and task.tools:
        return Acceptance(tools_of(task.tools))
    return task.acceptance
