"""Mathematical: expressions that are equal in mathematics, by math-verify."""

from __future__ import annotations

import importlib.util
from collections.abc import Hashable

from scaffolding_core.answers.bounded_process import BoundedProcess, shared_process
from scaffolding_core.answers.equivalence import Classes, Equivalence
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.normalised import normalised
from scaffolding_core.errors import InvalidRequestError, MissingExtraError

__all__ = ["Mathematical"]


class Mathematical(Equivalence):
    r"""Answers are the same if math-verify says so: `x+1` and `1+x`, `\frac12` and `0.5`, `\{1,2\}` and `\{2,1\}`.

    An answer is compared with the first of each class, in order, and joins the first that is equal; so
    equality is transitive, whatever the single comparisons say. What is alike as text, or as a number, is
    not sent. Comparisons run in a worker process, since parsing mathematics evaluates it: nothing that a
    model wrote is evaluated in this process, and one that takes too long is killed and counts as unequal.

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

    def classes(self) -> Classes:
        """Empty classes, for one request."""
        return _MathClasses(shared_process("scaffolding_core.answers.math_process"), self.timeout)


class _MathClasses(Classes):
    costly = True

    def __init__(self, process: BoundedProcess, timeout: float) -> None:
        self._process = process
        self._timeout = timeout
        self._known: dict[Hashable, int] = {}
        self._first: list[str] = []

    def assign(self, answer: Answer) -> int:
        text = str(answer)
        key = normalised(text)
        if key in self._known:
            return self._known[key]
        number = self._equal_class(text)
        if number is None:
            number = len(self._first)
            self._first.append(text)
        self._known[key] = number
        return number

    def _equal_class(self, text: str) -> int | None:
        for number, first in enumerate(self._first):
            if self._process.ask({"gold": first, "answer": text}, self._timeout) is True:
                return number
        return None
