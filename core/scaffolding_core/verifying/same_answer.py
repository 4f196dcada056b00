"""SameAnswer: an answer passes if it is the same as a reference, as a kind of answer has it."""

from __future__ import annotations

from collections.abc import Collection

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.verifying.verifier import Verdict, Verifier

__all__ = ["SameAnswer"]

_FINDS_ITS_OWN = frozenset({"number", "choice", "yes_no", "date"})
"""Kinds that find each of their answers where it stands alone, so that no answer is the same as another text."""


class SameAnswer(Verifier):
    """An answer passes if it is the same as a reference.

    Cost: that of reading and comparing answers of the kind.

    Args:
        reference: the right answer, as text, as a number, truth value or date, or as what the kind finds.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: no reference, one that is no answer of the kind, or an unknown kind.
    """

    def __init__(self, reference: object, answers: AnswersLike | None = None) -> None:
        self._answers = Answers.of(answers)
        if reference is None or reference == "":
            raise InvalidRequestError("a reference is needed: give the right answer, as reference=")
        is_value = isinstance(reference, Collection) and not isinstance(reference, str)
        found = None if is_value else self._answers.extractor.extract(AssistantMessage(str(reference)))
        if found is None and self._answers.kind in _FINDS_ITS_OWN:
            raise InvalidRequestError(
                f"the reference {str(reference)[:200]!r} is no answer of {self._answers!r}: correct one of the two"
            )
        self.reference = reference if found is None else found

    def verify(self, message: AssistantMessage) -> Verdict:
        """Whether the message's answer is the reference."""
        answer = self._answers.extractor.extract(message)
        if answer is None:
            return Verdict(passed=False, feedback="no answer was found in the text")
        classes = self._answers.equivalence.classes()
        if classes.assign(self.reference) == classes.assign(answer):
            return Verdict(passed=True)
        return Verdict(passed=False, feedback=f"the answer {str(answer)[:200]!r} is not right")
