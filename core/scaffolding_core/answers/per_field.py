"""PerField: structures, field by field."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from scaffolding_core.answers.equivalence import Equivalence, KeyEquivalence
from scaffolding_core.answers.exact import Exact
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.voting import winner

__all__ = ["PerField", "consensus_by_field"]


class PerField(KeyEquivalence):
    """Structures are the same if each field is, by an equivalence of its own.

    Args:
        fields: the equivalence of each field; fields left out are compared by `otherwise`.
        otherwise: for the other fields; None leaves them out of the comparison.
    """

    def __init__(self, fields: Mapping[str, KeyEquivalence], otherwise: KeyEquivalence | None = None) -> None:
        self.fields = dict(fields)
        self.otherwise = otherwise

    def key(self, answer: Answer) -> Hashable:
        """The keys of all fields; a field that is missing is like no other."""
        if not isinstance(answer, Mapping):
            return Exact().key(answer)
        keys: list[Hashable] = []
        for name in sorted({*map(str, answer), *self.fields}):
            equivalence = self.fields.get(name, self.otherwise)
            if equivalence is not None:
                keys.append((name, equivalence.key(answer[name]) if name in answer else None))
        return tuple(keys)


def consensus_by_field(
    answers: Sequence[Answer], fields: Mapping[str, Equivalence] | None = None
) -> dict[str, Answer]:
    """Vote on each field by itself; ties go to the value first seen.

    Args:
        answers: structures; others are passed over.
        fields: the equivalence of a field; `Normalised` where left out.

    Returns:
        The winning value of each field that any structure has.
    """
    structures = [answer for answer in answers if isinstance(answer, Mapping)]
    consensus: dict[str, Answer] = {}
    for name in dict.fromkeys(str(name) for structure in structures for name in structure):
        classes = (fields or {}).get(name, Normalised()).classes()
        values = [structure[name] for structure in structures if name in structure]
        choices = {index: classes.assign(value) for index, value in enumerate(values)}
        best = winner(dict(choices))
        consensus[name] = values[next(index for index, choice in choices.items() if choice == best)]
    return consensus
