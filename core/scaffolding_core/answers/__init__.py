"""Answers: finding them in what a model said, and telling which are the same.

An `Extractor` finds the answer, an `Equivalence` sorts answers into classes; any method that votes or scores
takes both. Whatever a text holds costs bounded time, and nothing of it is evaluated in this process.
"""

from __future__ import annotations

from scaffolding_core.answers.acceptance import Acceptance, Accepted
from scaffolding_core.answers.boxed import Boxed
from scaffolding_core.answers.default_extractor import default_extractor
from scaffolding_core.answers.equivalence import Classes, Equivalence, KeyEquivalence
from scaffolding_core.answers.exact import Exact
from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, FirstOf, Reading
from scaffolding_core.answers.function import FromFunction, FromMessage
from scaffolding_core.answers.json_answer import Json
from scaffolding_core.answers.kinds import KINDS, Answers, AnswersLike, Kind
from scaffolding_core.answers.mathematical import Mathematical
from scaffolding_core.answers.model_answer import Parsed
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.answers.number import LastNumber
from scaffolding_core.answers.numeric import Numeric
from scaffolding_core.answers.of_kind import OfKind
from scaffolding_core.answers.per_field import FieldClasses, PerField
from scaffolding_core.answers.refusal import is_refusal
from scaffolding_core.answers.regex import Regex
from scaffolding_core.answers.stated import Stated
from scaffolding_core.answers.steps import StepSplitter
from scaffolding_core.answers.structure import Structure
from scaffolding_core.answers.tool_arguments import (
    KnownTools,
    ReadArguments,
    Tools,
    as_written,
    read_as_type,
    read_by_schema,
    tools_of,
)
from scaffolding_core.answers.tool_calls import ToolCalls
from scaffolding_core.answers.whole_text import WholeText

__all__ = [
    "KINDS",
    "REFUSAL",
    "Acceptance",
    "Accepted",
    "Answer",
    "Answers",
    "AnswersLike",
    "Boxed",
    "Classes",
    "Equivalence",
    "Exact",
    "Extractor",
    "FieldClasses",
    "FirstOf",
    "FromFunction",
    "FromMessage",
    "Json",
    "KeyEquivalence",
    "Kind",
    "KnownTools",
    "LastNumber",
    "Mathematical",
    "Normalised",
    "Numeric",
    "OfKind",
    "Parsed",
    "PerField",
    "ReadArguments",
    "Reading",
    "Regex",
    "Stated",
    "StepSplitter",
    "Structure",
    "ToolCalls",
    "Tools",
    "WholeText",
    "as_written",
    "default_equivalence",
    "default_extractor",
    "is_refusal",
    "read_as_type",
    "read_by_schema",
    "tools_of",
]


def default_equivalence() -> Equivalence:
    """Which answers a vote takes for the same unless it is told otherwise: `Normalised`."""
    return Normalised()
