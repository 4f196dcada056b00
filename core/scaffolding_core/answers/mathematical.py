"""Mathematical: expressions that are equal in mathematics, by math-verify."""

from __future__ import annotations

import importlib.util
from collections.abc import Hashable
from fractions import Fraction

from scaffolding_core.answers.bounded_process import BoundedProcess, shared_process
from scaffolding_core.answers.equivalence import Classes, Equivalence
from scaffolding_core.answers.exact import Exact
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.quantity import number_in
from scaffolding_core.errors import InvalidRequestError, MissingExtraError

__all__ = ["Mathematical"]

_PROCESS = shared_process("scaffolding_core.answers.math_process")
_LONGEST = 1_000


class Mathematical(Equivalence):
    r"""Answers are the same if math-verify says so: `x+1` and `1+x`, `\frac12` and `0.5`, `\{1,2\}` and `\{2,1\}`.

    An answer is compared with the first of each class, in order, and joins the first that is equal; so
    equality is transitive, whatever the single comparisons say. What is alike as text or as a number, and
    two whole numbers, are not sent. Comparisons run in a worker process: nothing that a model wrote is
    parsed or evaluated in this one. A comparison that takes too long is killed and counts as unequal, and
    what it was with is not compared again. Units do not count. Answers that are longer than 1,000 characters,
    or no text, are the same only to the letter.

    Cost: a few milliseconds for each class already met; two seconds once, to start the process.

    Source: https://github.com/huggingface/Math-Verify

    Args:
        timeout: seconds for one comparison.

    Raises:
        MissingExtraError: the extra `math` is not installed.
        InvalidRequestError: a timeout that is not above 0.
    """

    def __init__(self, timeout: float = 5.0) -> None:
        if importlib.util.find_spec("math_verify") is None:
            raise MissingExtraError("Mathematical", "math")
        if not timeout > 0:
            raise InvalidRequestError(f"timeout must be above 0, got {timeout!r}")
        self.timeout = timeout

    def classes(self) -> MathematicalClasses:
        """Empty classes, for one request."""
        return MathematicalClasses(_PROCESS, self.timeout)


class MathematicalClasses(Classes):
    """The classes of one request.

    Attributes:
        undecided: comparisons that were cut, and so counted as unequal.
    """

    costly = True

    def __init__(self, process: BoundedProcess, timeout: float) -> None:
        self.undecided = 0
        self._process = process
        self._timeout = timeout
        self._numbers: dict[Hashable, int] = {}
        self._count = 0
        self._firsts: dict[int, str] = {}
        self._readable: dict[str, bool] = {}

    def assign(self, answer: Answer) -> int:
        """The number of the answer's class; a new one for an answer unlike all before."""
        key = _key(answer)
        if key not in self._numbers:
            self._numbers[key] = self._class_of(answer)
        return self._numbers[key]

    def _class_of(self, answer: Answer) -> int:
        text = str(answer).replace("$", "") if isinstance(answer, str | int | float) else None
        if text is None or len(text) > _LONGEST:
            return self._new_class()
        number = self._equal_class(text)
        if number is None:
            number = self._new_class()
            self._firsts[number] = text
        return number

    def _new_class(self) -> int:
        self._count += 1
        return self._count - 1

    def _equal_class(self, text: str) -> int | None:
        for number, first in list(self._firsts.items()):
            if _whole(first) and _whole(text):
                continue
            if not self._can_read(text):
                return None
            if not self._can_read(first):
                continue
            equal = self._compare(first, text)
            if equal is None:
                self._readable[first] = False
            elif equal:
                return number
        return None

    def _can_read(self, text: str) -> bool:
        """Whether a text can be compared at all, so that one that cannot costs its own time once."""
        if text not in self._readable:
            self._readable[text] = number_in(text) is not None or self._compare("7", text) is not None
        return self._readable[text]

    def _compare(self, first: str, other: str) -> bool | None:
        equal = self._process.ask({"first": first, "other": other}, self._timeout)
        if isinstance(equal, bool):
            return equal
        self.undecided += 1
        return None


def _key(answer: Answer) -> Hashable:
    number = number_in(answer)
    if number is not None:
        return number
    return " ".join(answer.replace("$", "").split()) if isinstance(answer, str) else Exact().key(answer)


def _whole(text: str) -> bool:
    number = number_in(text)
    return isinstance(number, Fraction) and number.denominator == 1
