"""Equivalence: which answers are the same."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable
from typing import Protocol

from scaffolding_core.answers.costly import costly_unless_told
from scaffolding_core.answers.extractor import Answer

__all__ = ["Classes", "Equivalence", "KeyClasses", "KeyEquivalence"]


class Classes(Protocol):
    """The classes of equal answers that one request has met; classes, so equality is transitive.

    Attributes:
        costly: `assign` may take more than a few milliseconds, so a method runs it in a thread; one that never
            does says False, which spares the thread. One that asks a model may have `as_task(answer)`, which
            makes a `ComputeTask` whose result is the number.
    """

    costly: bool = True

    @abstractmethod
    def assign(self, answer: Answer) -> int:
        """The number of the answer's class; a new one for an answer unlike all before."""


class Equivalence(Protocol):
    """Which answers are the same. Safe to share between requests and threads."""

    @abstractmethod
    def classes(self) -> Classes:
        """Empty classes, for one request."""


class KeyEquivalence(Equivalence):
    """Answers with the same key are the same.

    Attributes:
        costly: `key` may take more than a few milliseconds; see `Classes`. A class that has a `key` of its own
            says so for itself.
    """

    costly: bool = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        costly_unless_told(cls, "key")

    @abstractmethod
    def key(self, answer: Answer) -> Hashable:
        """The key of an answer."""

    def classes(self) -> Classes:
        """Empty classes, for one request."""
        return KeyClasses(self.key, costly=self.costly)


class KeyClasses(Classes):
    """Answers with the same key are the same.

    Args:
        key: the key of an answer.
        costly: finding it may take more than a few milliseconds.
    """

    def __init__(self, key: Callable[[Answer], Hashable], *, costly: bool = True) -> None:
        self._key = key
        self.costly = costly
        self._texts: dict[Answer, int] = {}  # a vote meets the same few answers again and again
        self._numbers: dict[Hashable, int] = {}
        self._count = 0

    def assign(self, answer: Answer) -> int:
        """The number of the answer's class."""
        is_text = type(answer) is str
        number = self._texts.get(answer) if is_text else None
        if number is not None:
            return number
        key = self._key(answer)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._new(key)
        if is_text:
            self._texts[answer] = number
        return number

    def _new(self, key: Hashable) -> int:
        """The number of the class of a key that was not met before."""
        self._count += 1
        return self._count - 1
