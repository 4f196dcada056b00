"""Kinds of answer by name: each pairs what finds the answer with what tells which are the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from scaffolding_core.answers.boxed import Boxed
from scaffolding_core.answers.default_extractor import default_extractor
from scaffolding_core.answers.equivalence import Equivalence
from scaffolding_core.answers.exact import Exact
from scaffolding_core.answers.extractor import Extractor, FirstOf
from scaffolding_core.answers.function import FromMessage
from scaffolding_core.answers.json_answer import Json
from scaffolding_core.answers.mathematical import Mathematical
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.answers.number import LastNumber
from scaffolding_core.answers.numeric import Numeric
from scaffolding_core.answers.stated import Stated
from scaffolding_core.answers.tool_calls import ToolCalls
from scaffolding_core.answers.whole_text import WholeText
from scaffolding_core.errors import InvalidRequestError

__all__ = ["KINDS", "Answers", "AnswersLike", "Kind"]

Pair: TypeAlias = tuple[Extractor, Equivalence]


class Kind(NamedTuple):
    """A row of the table of kinds.

    Attributes:
        make: takes the kind's parameters, gives extractor and equivalence.
        merges: what it takes for the same, in a line.
    """

    make: Callable[..., Pair]
    merges: str


def _auto() -> Pair:
    return default_extractor(), Normalised()


def _number() -> Pair:
    return FirstOf(Boxed(), Stated(), LastNumber()), Numeric()


def _choice(choices: Sequence[str] | None = None, labels: Sequence[str] | None = None) -> Pair:
    return default_extractor(), Normalised()


def _math() -> Pair:
    return default_extractor(), Mathematical()


def _list(unordered: bool = False) -> Pair:
    return default_extractor(), Normalised()


def _json(
    key: str = "", only: Sequence[str] | None = None, ignore: Sequence[str] = (), unordered: bool = False
) -> Pair:
    return Json(key), Normalised()


def _calls(only: Sequence[str] | None = None, ignore: Sequence[str] = ()) -> Pair:
    return ToolCalls(), Exact()


def _whole() -> Pair:
    return WholeText(), Normalised()


KINDS: Mapping[str, Kind] = {
    "auto": Kind(_auto, "what is known to be the same; when unsure, the whole text is the answer"),
    "number": Kind(_number, ""),
    "choice": Kind(_choice, ""),
    "yes_no": Kind(_auto, ""),
    "math": Kind(_math, ""),
    "date": Kind(_auto, ""),
    "text": Kind(_auto, ""),
    "list": Kind(_list, ""),
    "json": Kind(_json, ""),
    "code": Kind(_auto, ""),
    "calls": Kind(_calls, ""),
    "whole": Kind(_whole, ""),
}
"""The kinds of answer that users say they asked for."""


class Answers:
    """What the samples of a vote answer with: how it is found, and which answers are the same.

    `Answers("number")`, `Answers("choice", choices=["A", "B", "C"])`. Whatever takes `answers=` also takes the
    bare name, a mapping (`{"kind": "choice", "choices": ["A", "B", "C"]}`), or a pair of your own extractor and
    equivalence, with None for that of `auto`.

    Args:
        kind: a name in `KINDS`.
        parameters: of the kind.

    Attributes:
        kind: the name; empty for a pair of one's own.
        parameters: as they were given.
        extractor: finds the answer.
        equivalence: tells which are the same.

    Raises:
        InvalidRequestError: an unknown kind, or parameters that it does not take.
        MissingExtraError: the kind needs a package that is not installed.
    """

    __slots__ = ("equivalence", "extractor", "kind", "parameters")

    def __init__(self, kind: str, /, **parameters: object) -> None:
        row = KINDS.get(kind.replace("-", "_")) if isinstance(kind, str) else None
        if row is None:
            raise InvalidRequestError(f"no kind of answer is named {kind!r}; there are: {', '.join(KINDS)}")
        try:
            inspect.signature(row.make).bind(**parameters)
        except TypeError as error:
            raise InvalidRequestError(f"answers of the kind {kind!r} do not take this: {error}") from error
        self.kind = kind.replace("-", "_")
        self.parameters: Mapping[str, object] = parameters
        self.extractor, self.equivalence = row.make(**parameters)

    def __repr__(self) -> str:
        if not self.kind:
            return f"Answers.pair({self.extractor!r}, {self.equivalence!r})"
        return f"Answers({', '.join([repr(self.kind), *(f'{k}={v!r}' for k, v in self.parameters.items())])})"

    @classmethod
    def pair(cls, extractor: Extractor | None, equivalence: Equivalence | None) -> Answers:
        """Answers of your own kind; None takes the part of `auto`.

        Raises:
            InvalidRequestError: a part that is none.
        """
        new = object.__new__(cls)
        new.kind, new.parameters = "", {}
        new.extractor = default_extractor() if extractor is None else _checked_extractor(extractor)
        new.equivalence = Normalised() if equivalence is None else _checked_equivalence(equivalence)
        return new

    @classmethod
    def of(cls, answers: AnswersLike | None) -> Answers:
        """What `answers=` takes, made one; None is `auto`.

        Raises:
            InvalidRequestError: something else, or what `Answers` itself refuses.
        """
        if isinstance(answers, Answers):
            return answers
        if answers is None or isinstance(answers, str):
            return cls(answers or "auto")
        if isinstance(answers, Mapping) and "kind" in answers:
            parameters = dict(answers)
            kind = parameters.pop("kind")
            return cls(kind if isinstance(kind, str) else repr(kind), **parameters)
        if isinstance(answers, tuple | list) and len(answers) == 2:
            return cls.pair(*answers)
        raise InvalidRequestError(
            f"answers must be one of {', '.join(KINDS)}, a mapping with a 'kind', or a pair of extractor and "
            f"equivalence, got {answers!r}"
        )

    def with_own(self, extractor: Extractor | None, equivalence: Equivalence | None) -> Answers:
        """The same with an extractor or an equivalence of one's own, where one is given."""
        if extractor is None and equivalence is None:
            return self
        return self.pair(extractor or self.extractor, equivalence or self.equivalence)


AnswersLike: TypeAlias = "str | Answers | Mapping[str, object] | tuple[Extractor | None, Equivalence | None]"
"""What `answers=` takes: a name, a kind with its parameters, or an own pair."""


def _checked_extractor(part: Extractor) -> Extractor:
    if isinstance(part, type) or not callable(getattr(part, "extract", None)):
        raise InvalidRequestError(f"extractor must be an instance with extract(), got {part!r}")
    if not hasattr(part, "read"):  # it has the shape of one, and is none
        return FromMessage(part.extract, costly=getattr(part, "costly", False))
    return part


def _checked_equivalence(part: Equivalence) -> Equivalence:
    if isinstance(part, type) or not callable(getattr(part, "classes", None)):
        raise InvalidRequestError(f"equivalence must be an instance with classes(), got {part!r}")
    return part
