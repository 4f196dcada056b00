"""Numeric: numbers by their value."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from scaffolding_core.answers.equivalence import Classes, KeyClasses, KeyEquivalence
from scaffolding_core.answers.exact import Exact
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.quantity import WithUnit, quantity_key

__all__ = ["Numeric", "QuantityClasses"]


class Numeric(KeyEquivalence):
    """Numbers are the same if their values are, exactly; everything else to the letter.

    `1,000`, `1 000`, `1000.0`, `1e3` and `1 × 10^3` are one answer, so are `1/2`, `0.5`, `½` and `\\frac12`, and
    `2 1/2`, `2\\frac12` and `2.5`; `50%` is `50 percent`, not `0.5`. A unit, currency or plural noun may be left
    out, but two that differ are two answers: `5`, `5 cm` and `5 centimeters` are one, `5 m` is another, and a
    bare number is taken for the first that was met. Nothing is converted: `100 cm` is not `1 m`.
    """

    costly = False

    def key(self, answer: Answer) -> Hashable:
        """The number's exact value and its unit, or what is no number as it stands."""
        key = quantity_key(answer)
        if key is not None:
            return key
        return answer.strip() if isinstance(answer, str) else Exact().key(answer)

    def classes(self) -> Classes:
        """Empty classes, for one request."""
        return QuantityClasses(self.key, costly=self.costly)


class QuantityClasses(KeyClasses):
    """Answers with the same key are the same, and a number without a unit is the same as the first with one.

    So is one with a currency or a unit the same as the first that says per what.

    Args:
        key: the key of an answer.
        costly: finding it may take more than a few milliseconds.
    """

    def __init__(self, key: Callable[[Answer], Hashable], *, costly: bool) -> None:
        super().__init__(key, costly=costly)
        self._narrowed: set[Hashable] = set()

    def _new(self, key: Hashable) -> int:
        if not isinstance(key, WithUnit) or key.broader in self._narrowed:
            return super()._new(key)
        broader = key.broader
        self._narrowed.add(broader)
        if broader not in self._numbers:
            self._numbers[broader] = self._new(broader)
        return self._numbers[broader]
