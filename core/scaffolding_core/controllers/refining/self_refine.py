"""Self-refine: the model says what is wrong with its answer, and answers again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.parts import checked_part, checked_template, checked_whole
from scaffolding_core.controllers.refining.asking import checked_question, followed_up
from scaffolding_core.controllers.refining.drafts import Drafts
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["FEEDBACK", "REFINE", "STOP", "SelfRefineController"]

STOP = "NOTHING TO IMPROVE"
FEEDBACK = (
    "Review that answer: what in it is wrong, missing or unclear, and how is it put right? Do not write the "
    "answer again. If nothing needs to change, end with this line, and else without it:\n{stop}"
)
REFINE = (
    "That answer was reviewed:\n{feedback}\n\nAnswer the question again, whole, with what is right in the review "
    "put right in the answer. Do not speak of the review."
)


class SelfRefineController(Controller):
    """Answers, asks the model for feedback and for the answer again, until nothing is left to improve.

    Feedback and answer are asked for as turns behind the last answer, which is shown without its thoughts, and
    with it alone. Rounds end when the feedback ends with a line that says so, when it is empty, or after k; the
    last answer is the result, and each is a candidate. One that wants tools called is handed on at once; feedback
    is asked for without tools. The feedback stands in the output's `data`. Feedback or an answer that fails, or
    has no time left, ends the rounds, and the answer before it counts.

    Without anything to check by, a model finds few of its own mistakes in mathematics, and may lose right answers;
    the gains of the paper are in writing and code.

    Cost: at most 1 + 2k generations, one after another, with prompts of the question, an answer and its feedback;
    2r where the feedback of round r ends them.

    Source: Madaan et al. 2023, arXiv 2303.17651; without its few-shot examples, and with the last round's answer
    and feedback in place of those of all rounds.

    Args:
        generation_controller: the method that answers, and reviews.
        max_rounds: k, unless a request says `max_rounds`.
        feedback: what asks for the feedback, with `{stop}` where the line goes that ends the rounds.
        refine: what asks for the next answer, with `{feedback}` where the feedback goes.
        stop: the line that ends the rounds.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: a negative number of rounds, a template of something else, an empty `stop`, or
            something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        max_rounds: int = 3,
        *,
        feedback: str = FEEDBACK,
        refine: str = REFINE,
        stop: str = STOP,
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.max_rounds = checked_whole("max_rounds", max_rounds, 0)
        self.feedback = checked_template("feedback", feedback, "stop")
        self.refine = checked_template("refine", refine, "feedback")
        self.stop = stop
        self.answers = None if answers is None else Answers.of(answers)
        if not isinstance(stop, str) or not _bare(stop):
            raise InvalidRequestError(f"stop must be a line of words, got {stop!r}")

    @property
    def _reviewer(self) -> Controller | None:
        """Who reviews; None for the method that answers, with its options."""
        return None

    def process(
        self,
        tasks: list[GenerationTask],
        max_rounds: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task, which keeps its prompt and gets the last answer.

        Raises:
            InvalidRequestError: not one task, or one that asks nothing in words.
            BudgetExceededError: budget or deadline ran out before there was any answer.
            WorkerError: the first answer failed.
        """
        task = checked_question(tasks)
        rounds = self.max_rounds if max_rounds is None else checked_whole("max_rounds", max_rounds, 0)
        drafts, told = Drafts(self.generation_controller, task, generation_kwargs or {}), list[str]()
        yield from drafts.made(self._rounds(drafts, rounds, told))
        kind = self.answers if answers is None else answers
        output = yield from drafts.concluded(drafts.ended()[-1], kind, type(self).__name__)
        output.data = {"feedback": told}
        return output

    def _rounds(self, drafts: Drafts, rounds: int, told: list[str]) -> Steps[None]:
        task = drafts.task
        draft = yield from drafts.first()
        for _ in range(rounds):
            if draft.tool_calls:
                return
            asked = followed_up(task, draft.message, self.feedback.format(stop=self.stop))
            feedback = yield from drafts.said(asked, self._reviewer)
            told.append(feedback)
            if not feedback or self._ends(feedback):
                return
            draft = yield from drafts.draft(
                followed_up(task, draft.message, self.refine.format(feedback=feedback))
            )

    def _ends(self, feedback: str) -> bool:
        return _bare(feedback.splitlines()[-1]) == _bare(self.stop)


def _bare(line: str) -> str:
    """The words of a line, whatever stands around them."""
    return " ".join(word for part in line.casefold().split() if (word := part.strip("*_`#>\"'.:!()[]- ")))
