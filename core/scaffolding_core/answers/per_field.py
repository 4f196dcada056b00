"""PerField: structures, field by field."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolding_core.answers.equivalence import Classes, Equivalence
from scaffolding_core.answers.exact import Exact
from scaffolding_core.answers.extractor import Answer

__all__ = ["FieldClasses", "PerField"]


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
        return _WholeClasses(FieldClasses(self.fields, self.otherwise))


class FieldClasses:
    """The classes of each field that one request has met.

    Args:
        fields: the equivalence of each field.
        otherwise: for each other field; None leaves them out.

    Attributes:
        costly: `assign` may take more than a few milliseconds, so a method runs it in a thread.
    """

    def __init__(self, fields: Mapping[str, Equivalence], otherwise: Equivalence | None) -> None:
        self._otherwise = otherwise
        self._classes = {name: equivalence.classes() for name, equivalence in fields.items()}
        known = [*self._classes.values(), *([] if otherwise is None else [otherwise.classes()])]
        self.costly = any(classes.costly for classes in known)

    def assign(self, structure: Mapping[str, Answer]) -> dict[str, int]:
        """The class of each field's value, by the name of the field."""
        return {
            str(name): classes.assign(value)
            for name, value in structure.items()
            if (classes := self._of(str(name))) is not None
        }

    def _of(self, name: str) -> Classes | None:
        if name not in self._classes and self._otherwise is not None:
            self._classes[name] = self._otherwise.classes()
        return self._classes.get(name)


class _WholeClasses(Classes):
    def __init__(self, fields: FieldClasses) -> None:
        self._fields = fields
        self.costly = fields.costly
        self._numbers: dict[object, int] = {}

    def assign(self, answer: Answer) -> int:
        key: object = Exact().key(answer)
        if isinstance(answer, Mapping):
            key = frozenset(self._fields.assign(answer).items())
        return self._numbers.setdefault(key, len(self._numbers))
