"""Exact: answers that are the same to the letter."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.extractor import Answer

__all__ = ["Exact", "canonical"]


class Exact(KeyEquivalence):
    """Text is the same to the letter, data the same whatever the order of its keys.

    A number is no text: `1` and `1.0` are one answer, `"1"` is another.
    """

    costly = False

    def key(self, answer: Answer) -> Hashable:
        """The answer in a hashable form."""
        return canonical(answer, _to_the_letter)


def canonical(value: Answer, leaf: Callable[[Answer], Hashable]) -> Hashable:
    """Data in a hashable form, the order of keys aside.

    Args:
        value: of mappings, lists and tuples in any nesting.
        leaf: the form of everything else.
    """
    if isinstance(value, Mapping):
        return "mapping", frozenset((str(name), canonical(item, leaf)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return "list", tuple(canonical(item, leaf) for item in value)
    return leaf(value)


def _to_the_letter(value: Answer) -> Hashable:
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):  # True == 1
        return "bool", value
    return ("value", value) if isinstance(value, Hashable) else ("value", repr(value))
