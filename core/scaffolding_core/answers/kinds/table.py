"""The table of kinds of answer: one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from scaffolding_core.answers.counted_fields import CountedFields
from scaffolding_core.answers.default_extractor import default_extractor
from scaffolding_core.answers.equivalence import Equivalence
from scaffolding_core.answers.exact import Exact
from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.kinds.choice import choice_answers
from scaffolding_core.answers.kinds.code import CodeIn
from scaffolding_core.answers.kinds.date import SameDate, date_answers
from scaffolding_core.answers.kinds.listing import ListItems, SameItems
from scaffolding_core.answers.kinds.math import math_answers
from scaffolding_core.answers.kinds.number import number_answers
from scaffolding_core.answers.kinds.structure import JsonValueIn, SameFields
from scaffolding_core.answers.kinds.text import FinalStatement
from scaffolding_core.answers.kinds.yes_no import yes_no_answers
from scaffolding_core.answers.mathematical import Mathematical
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.answers.numeric import Numeric
from scaffolding_core.answers.tool_calls import ToolCalls
from scaffolding_core.answers.whole_text import WholeText

__all__ = ["KINDS", "Kind", "Pair"]

Pair: TypeAlias = tuple[Extractor, Equivalence]


class Kind(NamedTuple):
    """A row of the table.

    Attributes:
        make: takes the kind's parameters, gives extractor and equivalence.
        parameters: how they are written, empty for none.
        merges: what it takes for the same.
    """

    make: Callable[..., Pair]
    parameters: str
    merges: str


def _auto() -> Pair:
    return default_extractor(), Normalised()


def _number() -> Pair:
    return number_answers(), Numeric()


def _choice(choices: Sequence[str] | None = None, labels: Sequence[str] | None = None) -> Pair:
    return choice_answers(choices, labels), Normalised()


def _yes_no() -> Pair:
    return yes_no_answers(), Exact()


def _math() -> Pair:
    return math_answers(), Mathematical()


def _date(day_first: bool | None = None) -> Pair:
    return date_answers(), SameDate(day_first)


def _text() -> Pair:
    return FinalStatement(), Normalised()


def _list(unordered: bool = False) -> Pair:
    return ListItems(), SameItems(unordered=unordered)


def _json(
    key: str = "", only: Sequence[str] | None = None, ignore: Sequence[str] = (), unordered: bool = False
) -> Pair:
    return JsonValueIn(key), SameFields(CountedFields(only, ignore), unordered=unordered)


def _code() -> Pair:
    return CodeIn(), Normalised()


def _calls(only: Sequence[str] | None = None, ignore: Sequence[str] = ()) -> Pair:
    return ToolCalls(only=only, ignore=ignore), Exact()


def _whole() -> Pair:
    return WholeText(), Normalised()


KINDS: Mapping[str, Kind] = {
    "auto": Kind(_auto, "", "what is known to be the same; when unsure, the whole text is the answer"),
    "number": Kind(
        _number, "", "equal values with the same unit, or none on one side: `1,000`, `1e3`, `one thousand`"
    ),
    "choice": Kind(
        _choice,
        '`choices=["A", "B"]`, `labels=["good", "bad"]`',
        "the same option: `(B)`, `B) Paris`, `I would choose B`",
    ),
    "yes_no": Kind(_yes_no, "", "yes with true, no with false, in several languages"),
    "math": Kind(_math, "", "what is equal in mathematics: `x+1` and `1+x`, `\\sqrt8` and `2\\sqrt2`"),
    "date": Kind(
        _date, "`day_first=True`", "the same day or time, however written: `2024-03-05`, `March 5, 2024`"
    ),
    "text": Kind(_text, "", "final statements that differ in case, white space, markup or punctuation"),
    "list": Kind(_list, "`unordered=True`", "equal items, one by one"),
    "json": Kind(
        _json,
        '`key="answer"`, `only=["a"]`, `ignore=["b"]`, `unordered=True`',
        "equal values of the fields that count, whatever the order of keys",
    ),
    "code": Kind(
        _code, "", "code that differs in white space at line ends; queries also in layout and case of keywords"
    ),
    "calls": Kind(_calls, '`only=["a"]`, `ignore=["b"]`', "calls of the same tools with the same arguments"),
    "whole": Kind(_whole, "", "whole texts that differ in case, white space, markup or punctuation"),
}
"""The kinds of answer that users say they asked for, by name."""
