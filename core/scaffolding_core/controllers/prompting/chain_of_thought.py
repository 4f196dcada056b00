"""Chain of thought: let the model write its reasoning before its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike, Extractor
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.controllers.prompting.instructed import instructed
from scaffolding_core.controllers.votes import answered
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["ChainOfThoughtController"]


class ChainOfThoughtController(Controller):
    """Asks for reasoning first, and reads the answer out of what follows.

    The instruction goes behind the prompt, or behind the last user message of a chat. The text stays whole,
    reasoning and all; `ScaffoldingOutput.answer` holds the answer alone.

    Cost: that of the generation it wraps, with longer texts.

    Source: Kojima et al. 2022, arXiv 2205.11916 (zero-shot); Wei et al. 2022, arXiv 2201.11903.

    Args:
        generation_controller: the method that generates.
        instruction: what to put behind the prompt; None takes the method's own.
        answers: the kind of answer; see `Answers`.
        extractor: finds the answer in the text, in place of the kind's own.

    Raises:
        InvalidRequestError: a controller or an extractor that is none.
    """

    stateless: ClassVar[bool] = True
    own_instruction: ClassVar[str] = "Let's think step by step, and end with the final answer in \\boxed{}."

    def __init__(
        self,
        generation_controller: Controller,
        *,
        instruction: str | None = None,
        answers: AnswersLike | None = None,
        extractor: Extractor | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.instruction = self.own_instruction if instruction is None else instruction
        self.answers = Answers.of(answers).with_own(extractor, None)
        self.streams_answer = generation_controller.streams_answer

    def process(
        self,
        tasks: list[GenerationTask],
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
        extractor: Extractor | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Run the tasks with the instruction added; the given tasks keep their prompts."""
        asked = [self._asked(task) for task in tasks]
        try:
            output = yield from self.generation_controller.process(asked, **(generation_kwargs or {}))
        finally:
            for task, other in zip(tasks, asked, strict=True):
                task.take_results(other)
                task.usage, task.error = other.usage, other.error
        if not isinstance(output, ScaffoldingOutput):
            output = tasks[0].create_scaffolding_output()
        output.method = type(self).__name__
        if output.answer is None and output.finish_reason != "cancelled":  # a part of a text has none
            compared = self.answers if answers is None else Answers.of(answers)
            found = extractor_for(tasks[0], compared.with_own(extractor, None))
            yield from answered(output, found)
        return output

    def _asked(self, task: GenerationTask) -> GenerationTask:
        return instructed(task, self.instruction)
