"""read_as_here: kinds of answer by name, where a sample may be an agent's step."""

from __future__ import annotations

from llamaindex_scaffolding.reading.step import Step
from scaffolding_core import Answers, Equivalence, Extractor, ToolCalls, default_extractor
from scaffolding_core.adapting import Tools

__all__ = ["read_as_here"]


def read_as_here(
    answers: Answers,
    told: Tools | None = None,
    extractor: Extractor | None = None,
    equivalence: Equivalence | None = None,
) -> Answers:
    """The kind, where a sample may be an agent's step: that is read first, but never before an own extractor.

    Args:
        answers: the kind.
        told: the tools that the prompt tells of.
        extractor: one of the user's own, in place of the kind's.
        equivalence: one of the user's own, in place of the kind's.
    """
    found = answers.extractor
    if found is default_extractor():
        found = Step(told=told)
    elif answers.kind:
        found = Step(found, found if isinstance(found, ToolCalls) else None, told)
    return Answers.pair(extractor or found, equivalence or answers.equivalence)
