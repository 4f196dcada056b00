"""OfKind: values that are of a kind, where they come without a message around them."""

from __future__ import annotations

from scaffolding_core.answers.equivalence import Classes, Equivalence
from scaffolding_core.answers.extractor import Answer
from scaffolding_core.answers.kinds import Answers
from scaffolding_core.messages import AssistantMessage

__all__ = ["OfKind"]


class OfKind(Equivalence):
    """Values, such as those of a structure's fields, are the same if the kind's answers in them are.

    A value that is no text, or in which there is no answer of that kind, is compared as it is.

    Args:
        answers: the kind.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def classes(self) -> Classes:
        """Empty classes, for one request; costly if a part of the kind is."""
        return _ClassesOfKind(self.answers)


class _ClassesOfKind(Classes):
    def __init__(self, answers: Answers) -> None:
        self._extractor = answers.extractor
        self._classes = answers.equivalence.classes()
        self.costly = answers.extractor.costly or self._classes.costly

    def assign(self, answer: Answer) -> int:
        if isinstance(answer, str):
            found = self._extractor.extract(AssistantMessage(answer))
            answer = answer if found is None else found
        return self._classes.assign(answer)
