"""Mathematical: formulas that are equal in mathematics."""

from __future__ import annotations

import importlib.util

from scaffolding_core.answers.equivalence import Classes, Equivalence
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.formulas.formula import Formula, formula_in, same_unit
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.answers.process_pool import ProcessPool, checked_timeout, shared_pool
from scaffolding_core.errors import MissingExtraError

__all__ = ["Mathematical"]

MODULE = "scaffolding_core.answers.math_process"


class Mathematical(Equivalence):
    r"""Answers are the same if `Normalised` says so, or if they are formulas that are equal in mathematics.

    `x+1` and `1+x`, `\sqrt{8}` and `2\sqrt2`, `\sin(90^\circ-x)` and `\cos x`, `\{1,2\}` and `\{2,1\}`, `x>5` and
    `(5,\infty)`, `x=5` and `5` are one answer each. Numbers are compared exactly: `0.333` is not `\frac13`. What
    is not known to be the same is not: `(1,2)` is not `[1,2]`, `1,2` is not `2,1`, `x+z=1` is not `1`, `12_3` is
    not `5`, `1/2x` is like nothing else. Only what holds an operator or a backslash is taken for a formula; words,
    dates, times, codes, and what is longer than 1,000 characters are left to `Normalised`. Units count as they do
    there: two that differ are two answers, one may be left out, none is converted.

    An answer joins the first class with all of whose formulas it is equal, so unequal ones never meet over a
    third. Formulas are read and computed in worker processes, each in bounded time: nothing that a model wrote is
    evaluated in this one. What cannot be read for certain, or is too large to compute, is equal to nothing.

    Cost: a millisecond or two for each formula, and less for each that was met before; a third of a second once,
    to start a process.

    Args:
        timeout: seconds for comparing one answer with those before it.

    Raises:
        MissingExtraError: the extra `math` is not installed.
        InvalidRequestError: a timeout that is no finite time above 0.
    """

    def __init__(self, timeout: float = 5.0) -> None:
        if importlib.util.find_spec("mpmath") is None:
            raise MissingExtraError("Mathematical", "math")
        self.timeout = checked_timeout(timeout)
        self._pool = shared_pool(MODULE)

    def __reduce__(self) -> tuple[object, ...]:
        return Mathematical, (self.timeout,)

    def classes(self) -> Classes:
        """Empty classes, for one request."""
        return MathematicalClasses(self._pool, self.timeout)


class MathematicalClasses(Classes):
    """The classes of one request.

    Attributes:
        undecided: answers whose comparison was cut, and so counted as unequal to all before.
    """

    costly = True

    def __init__(self, pool: ProcessPool, timeout: float) -> None:
        self.undecided = 0
        self._pool = pool
        self._timeout = timeout
        self._plain = Normalised().classes()
        self._numbers: dict[int, int] = {}  # the class of each class of `Normalised`
        self._formulas: list[list[Formula]] = []  # of each class

    def assign(self, answer: Answer) -> int:
        """The number of the answer's class; a new one for an answer unlike all before."""
        plain = self._plain.assign(answer)
        if plain not in self._numbers:
            formula = formula_in(str(answer)) if isinstance(answer, str | int | float) else None
            self._numbers[plain] = self._class_of(formula)
        return self._numbers[plain]

    def _class_of(self, formula: Formula | None) -> int:
        number = None if formula is None else self._equal_class(formula)
        if number is None:
            number = len(self._formulas)
            self._formulas.append([])
        if formula is not None:
            self._formulas[number].append(formula)
        return number

    def _equal_class(self, formula: Formula) -> int | None:
        """The first class with all of whose formulas it is equal; None if there is none."""
        comparable = {
            number: known
            for number, known in enumerate(self._formulas)
            if known and all(_comparable(formula, other) for other in known)
        }
        others = [other.text for known in comparable.values() for other in known]
        if not others:
            return None
        found = self._pool.ask({"formula": formula.text, "others": others}, self._timeout)
        if not isinstance(found, list):
            self.undecided += 1
            return None
        equal = {others[place] for place in found}
        return next(
            (number for number, known in comparable.items() if all(each.text in equal for each in known)), None
        )


def _comparable(formula: Formula, other: Formula) -> bool:
    """Whether mathematics can say more of the two than `Normalised`, which tells numbers apart."""
    return (formula.computes or other.computes) and same_unit(formula.unit, other.unit)
