"""PerField: structures, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from scaffolding_core.answers.equivalence import Classes, Equivalence
from scaffolding_core.answers.exact import Exact
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.normalised import Normalised

__all__ = ["PerField", "consensus_by_field"]


class PerField(Equivalence):
    """Structures are the same if each field is, by an equivalence of its own.

    A field that one structure lacks makes it unlike one that has it. What is no structure is compared to the
    letter.

    Args:
        fields: the equivalence of each field.
        otherwise: for all other fields; None leaves them out of the comparison.
    """

    def __init__(self, fields: Mapping[str, Equivalence], otherwise: Equivalence | None = None) -> None:
        self.fields = dict(fields)
        self.otherwise = otherwise

    def classes(self) -> Classes:
        """Empty classes, for one request; costly if those of a field are."""
        return _FieldClasses(self.fields, self.otherwise)


class _FieldClasses(Classes):
    def __init__(self, fields: Mapping[str, Equivalence], otherwise: Equivalence | None) -> None:
        self._fields = {name: equivalence.classes() for name, equivalence in fields.items()}
        self._others = None if otherwise is None else otherwise.classes()
        every = [*self._fields.values(), *([] if self._others is None else [self._others])]
        self.costly = any(classes.costly for classes in every)
        self._numbers: dict[Hashable, int] = {}

    def assign(self, answer: Answer) -> int:
        key = self._key(answer) if isinstance(answer, Mapping) else Exact().key(answer)
        return self._numbers.setdefault(key, len(self._numbers))

    def _key(self, structure: Mapping[object, Answer]) -> Hashable:
        keys: set[tuple[object, int]] = set()
        for name, value in structure.items():
            classes = self._fields.get(str(name), self._others)
            if classes is not None:
                keys.add((name, classes.assign(value)))
        return frozenset(keys)


def consensus_by_field(
    answers: Sequence[Answer], equivalences: Mapping[str, Equivalence] | None = None
) -> dict[str, Answer]:
    """Vote on each field by itself; ties go to the value first seen.

    The fields of the result may come from different answers, which may not fit together: vote on whole
    structures with `PerField` where they must. Blocks as long as the equivalences do.

    Args:
        answers: structures; others are passed over.
        equivalences: the equivalence of a field; `Normalised` where left out.

    Returns:
        The winning value of each field that any structure has, as the first that gave it wrote it.
    """
    values: dict[str, list[Answer]] = {}
    for answer in answers:
        if isinstance(answer, Mapping):
            for name, value in answer.items():
                values.setdefault(str(name), []).append(value)
    given = equivalences or {}
    return {name: _most_given(found, given.get(name) or Normalised()) for name, found in values.items()}


def _most_given(values: Sequence[Answer], equivalence: Equivalence) -> Answer:
    classes = equivalence.classes()
    choices = [classes.assign(value) for value in values]
    [(best, _)] = Counter(choices).most_common(1)  # of equals, the first seen
    return values[choices.index(best)]
