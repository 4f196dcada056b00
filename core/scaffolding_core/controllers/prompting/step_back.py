"""Step-back: ask for what lies behind the question, then answer with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.controllers.prompting.beside import said
from scaffolding_core.controllers.prompting.instructed import instructed, question_of
from scaffolding_core.controllers.votes import answered
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["StepBackController"]

STEP_BACK = "Do not answer yet. Which principles, facts or formulas does the answer rest on? Name them."
ANSWER = (
    "It rests on this:\n{principles}\n\nAnswer now, step by step, with the help of that, and end with the final "
    "answer in \\boxed{{}}."
)


class StepBackController(Controller):
    """Asks for the principles behind a question first, and then the question with them.

    The principles stand in the output's `data`.

    Cost: two generations, one after the other.

    Source: Zheng et al. 2023, arXiv 2310.06117, without its few-shot examples.

    Args:
        generation_controller: the method that answers both.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: a controller that is none.
    """

    stateless: ClassVar[bool] = True

    def __init__(self, generation_controller: Controller, *, answers: AnswersLike | None = None) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.answers = Answers.of(answers)

    def process(
        self,
        tasks: list[GenerationTask],
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task, which keeps its prompt.

        Raises:
            InvalidRequestError: not one task, or one that asks nothing in words.
        """
        if len(tasks) != 1 or not question_of(tasks[0]):
            raise InvalidRequestError("a step back is taken from a question in words: give one task that asks it")
        task, options = tasks[0], generation_kwargs or {}
        wide = instructed(task, STEP_BACK)
        principles = yield from said(self.generation_controller, wide, options)
        asked = instructed(task, ANSWER.format(principles=principles))
        try:
            output = yield from self.generation_controller.clone().process([asked], **options)
        finally:
            task.take_results(asked)
            task.usage, task.error = asked.usage, asked.error
        if not isinstance(output, ScaffoldingOutput):
            output = task.create_scaffolding_output()
        output.method, output.data = type(self).__name__, {"principles": principles}
        if output.answer is None and output.finish_reason != "cancelled":  # a part of a text has none
            compared = self.answers if answers is None else Answers.of(answers)
            yield from answered(output, extractor_for(task, compared))
        return output
