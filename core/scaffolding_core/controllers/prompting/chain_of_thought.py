"""Chain of thought: let the model write its reasoning before its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike, Extractor
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.controllers.prompting.instructed import instructed, told_first, with_examples
from scaffolding_core.controllers.votes import answered
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["ChainOfThoughtController"]


class ChainOfThoughtController(Controller):
    """Asks for reasoning first, and reads the answer out of what follows.

    The instruction goes behind the prompt, or behind the last user message of a chat. The text stays whole,
    reasoning and all; `ScaffoldingOutput.answer` holds the answer alone.

    Cost: that of the generation it wraps, with longer texts, and the tokens of the examples.

    Source: Kojima et al. 2022, arXiv 2205.11916 (zero-shot); Wei et al. 2022, arXiv 2201.11903.

    Args:
        generation_controller: the method that generates.
        instruction: what to put behind the prompt; None takes the method's own, "" says nothing.
        examples: questions with reasoned answers, shown before the own question: as turns, in a chat.
        in_system: whether the instruction stands in the system message instead, or before a prompt that is a text.
        answers: the kind of answer; see `Answers`.
        extractor: finds the answer in the text, in place of the kind's own.

    Raises:
        InvalidRequestError: a controller or an extractor that is none, or examples that are no pairs of texts.
    """

    stateless: ClassVar[bool] = True
    own_instruction: ClassVar[str] = "Let's think step by step, and end with the final answer in \\boxed{}."

    def __init__(
        self,
        generation_controller: Controller,
        *,
        instruction: str | None = None,
        examples: Sequence[tuple[str, str]] = (),
        in_system: bool = False,
        answers: AnswersLike | None = None,
        extractor: Extractor | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.instruction = self.own_instruction if instruction is None else instruction
        self.examples = _checked_examples(examples)
        self.in_system = in_system
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
        asked = [with_examples(self._asked(task), self.examples) for task in tasks]
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
        return self._told(task, self.instruction)

    def _told(self, task: GenerationTask, instruction: str) -> GenerationTask:
        """The task with an instruction where it belongs."""
        if not instruction:
            return task.copy()
        return told_first(task, instruction) if self.in_system else instructed(task, instruction)


def _checked_examples(examples: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = [tuple(each) for each in examples if isinstance(each, list | tuple)]
    if len(pairs) != len(examples) or any(list(map(type, pair)) != [str, str] for pair in pairs):
        raise InvalidRequestError(f"examples must be pairs of a question and its answer, got {examples!r}")
    return [(asked, said) for asked, said in pairs]
