"""SameAnswer: an answer passes if it is the same as a reference, as a kind of answer has it."""

from __future__ import annotations

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.verifying.verifier import Verdict, Verifier

__all__ = ["SameAnswer"]


class SameAnswer(Verifier):
    """An answer passes if it is the same as a reference.

    Cost: that of reading and comparing answers of the kind.

    Args:
        reference: the right answer, as text, or as the value that the kind finds.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: no reference, or an unknown kind.
    """

    def __init__(self, reference: object, answers: AnswersLike | None = None) -> None:
        self._answers = Answers.of(answers)
        if reference is None or reference == "":
            raise InvalidRequestError("a reference is needed: give the right answer, as reference=")
        found = (
            self._answers.extractor.extract(AssistantMessage(reference)) if isinstance(reference, str) else None
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
