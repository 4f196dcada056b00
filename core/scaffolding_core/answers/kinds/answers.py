"""Answers: what the samples of a vote answer with."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import TypeAlias

from scaffolding_core.answers.default_extractor import default_extractor
from scaffolding_core.answers.equivalence import Equivalence
from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.function import FromMessage
from scaffolding_core.answers.kinds.table import KINDS
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.answers.pattern import compile_all
from scaffolding_core.errors import InvalidRequestError

__all__ = ["Answers", "AnswersLike"]


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

    __slots__ = ("equivalence", "extractor", "kind", "own_equivalence", "parameters")

    def __init__(self, kind: str, /, **parameters: object) -> None:
        row = KINDS.get(kind.replace("-", "_")) if isinstance(kind, str) else None
        if row is None:
            raise InvalidRequestError(f"no kind of answer is named {kind!r}; there are: {', '.join(KINDS)}")
        try:
            inspect.signature(row.make).bind(**parameters)
        except TypeError as error:
            raise InvalidRequestError(f"answers of the kind {kind!r} do not take this: {error}") from error
        compile_all()
        self.kind = kind.replace("-", "_")
        self.parameters: Mapping[str, object] = parameters
        self.extractor, self.equivalence = row.make(**parameters)
        self.own_equivalence: Equivalence | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Answers) or self.kind != other.kind:
            return NotImplemented if not isinstance(other, Answers) else False
        if self.kind:
            return self.parameters == other.parameters and self.own_equivalence is other.own_equivalence
        return self.extractor is other.extractor and self.equivalence is other.equivalence

    def __hash__(self) -> int:
        return hash(repr(self))

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
        new.kind, new.parameters, new.own_equivalence = "", {}, None
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
            return cls("auto" if answers is None else answers)
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
        if extractor is not None:
            return self.pair(extractor, equivalence or self.equivalence)
        new = copy.copy(self)  # still of the kind: it is found as before
        new.equivalence = new.own_equivalence = self.pair(None, equivalence).equivalence
        return new


AnswersLike: TypeAlias = "str | Answers | Mapping[str, object] | tuple[Extractor | None, Equivalence | None]"
"""What `answers=` takes: a name, a kind with its parameters, or an own pair."""


def _checked_extractor(part: Extractor) -> Extractor:
    if isinstance(part, type) or not callable(getattr(part, "extract", None)):
        raise InvalidRequestError(f"extractor must be an instance with extract(), got {part!r}")
    if not hasattr(part, "read"):  # it has the shape of one, and is none
        return FromMessage(part.extract, costly=getattr(part, "costly", True))
    return part


def _checked_equivalence(part: Equivalence) -> Equivalence:
    if isinstance(part, type) or not callable(getattr(part, "classes", None)):
        raise InvalidRequestError(f"equivalence must be an instance with classes(), got {part!r}")
    return part
