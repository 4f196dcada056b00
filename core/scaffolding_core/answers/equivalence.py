"""Equivalence: which answers are the same."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable
from typing import Protocol

from scaffolding_core.answers.extractor import Answer

__all__ = ["Classes", "Equivalence", "KeyEquivalence"]


class Classes(Protocol):
    """The classes of equal answers that one request has met; classes, so equality is transitive.

    Attributes:
        costly: `assign` may take more than a few milliseconds, so a method runs it in a thread. One that asks a
            model may have `as_task(answer)`, which makes a `ComputeTask` whose result is the number.
    """

    costly: bool = False

    @abstractmethod
    def assign(self, answer: Answer) -> int:
        """The number of the answer's class; a new one for an answer unlike all before."""


class Equivalence(Protocol):
    """Which answers are the same. Safe to share between requests and threads."""

    @abstractmethod
    def classes(self) -> Classes:
        """Empty classes, for one request."""


class KeyEquivalence(Equivalence):
    """Answers with the same key are the same."""

    @abstractmethod
    def key(self, answer: Answer) -> Hashable:
        """The key of an answer."""

    def classes(self) -> Classes:
        """Empty classes, for one request."""
        return _KeyClasses(self.key)


class _KeyClasses(Classes):
    def __init__(self, key: Callable[[Answer], Hashable]) -> None:
        self._key = key
        self._numbers: dict[Hashable, int] = {}

    def assign(self, answer: Answer) -> int:
        return self._numbers.setdefault(self._key(answer), len(self._numbers))
