"""Program of thought: the model writes a program, and what the program says is the answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import ClassVar

from scaffolding_core.answers.kinds.code import PythonIn
from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.answering import read
from scaffolding_core.controllers.apart import apart
from scaffolding_core.controllers.parts import checked_part, checked_whole
from scaffolding_core.controllers.prompting.instructed import instructed
from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.messages import AssistantMessage, UserMessage
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import ChatTask, CodeTask, GenerationTask

__all__ = ["ProgramOfThoughtController"]

INSTRUCTION = (
    "Write a short Python program that computes the answer, in one ```python block. Use the standard library "
    "only, and print the answer, and nothing else, as the last step."
)
AGAIN = "The program failed: {failure}\nWrite the whole program again, corrected."


class ProgramOfThoughtController(Controller):
    """Asks for a program, runs it in a sandbox, and answers what it says; a program that fails is asked for again.

    A program says what it printed, else the value of its last expression. That is the text
    of the answer and its `answer`; each program is a candidate's text. A generation that holds no code, or one
    that says nothing, has failed too.

    Cost: at most 1 + k generations and programs, one after another.

    Source: Chen et al. 2022, arXiv 2211.12588; Gao et al. 2022, arXiv 2211.10435.

    Args:
        generation_controller: the method that writes the program.
        max_retries: k, unless a request says `max_retries`.
        instruction: what to put behind the prompt.

    Raises:
        InvalidRequestError: a negative number of retries, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self, generation_controller: Controller, max_retries: int = 2, *, instruction: str = INSTRUCTION
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.max_retries = checked_whole("max_retries", max_retries, 0)
        self.instruction = instruction

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """The role that runs code."""
        return {"code": Capabilities()}

    def process(
        self,
        tasks: list[GenerationTask],
        max_retries: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task.

        Raises:
            InvalidRequestError: not one task.
            WorkerError: no program ran through, or the sandbox or the model failed.
        """
        if len(tasks) != 1:
            raise InvalidRequestError(f"a program answers one question: give one task, not {len(tasks)}")
        task = tasks[0]
        retries = self.max_retries if max_retries is None else checked_whole("max_retries", max_retries, 0)
        asked, candidates, failure = instructed(task, self.instruction), [], ""
        for index in range(retries + 1):
            yield from apart(self.generation_controller.clone().process([asked], **(generation_kwargs or {})))
            written = asked.message()
            candidate = Candidate(index, asked.said, usage=asked.usage)
            candidates.append(candidate)
            said, failure = yield from self._run(written)
            if not failure:
                candidate.answer, candidate.read_as = said, "program"
                return self._output(task, said, candidates)
            candidate.error = WorkerError(f"the program failed: {failure}")
            asked = _asked_again(asked, written, AGAIN.format(failure=failure))
        raise WorkerError(f"no program of {retries + 1} ran through; the last one: {failure}")

    def _run(self, written: AssistantMessage) -> Steps[tuple[str, str]]:
        """What the program in a message says, and why it says nothing."""
        code = (yield from read(PythonIn(), written)).answer
        if code is None:
            return "", "there was no code in the answer"
        run = CodeTask("code", code=str(code), fresh=True)
        yield [run]
        if run.failure is not None:
            return "", str(run.failure)
        said = run.stdout.strip() or run.result or ""
        return said, "" if said else "it printed nothing: print the answer"

    def _output(self, task: GenerationTask, said: str, candidates: list[Candidate]) -> ScaffoldingOutput:
        task.output_str = said
        output = ScaffoldingOutput(
            AssistantMessage(said), answer=said, read_as="program", method=type(self).__name__
        )
        output.candidates = candidates
        return output


def _asked_again(asked: GenerationTask, written: AssistantMessage, told: str) -> GenerationTask:
    again = asked.copy()
    if isinstance(again, ChatTask):
        again.messages = [*again.messages, AssistantMessage(written.text), UserMessage(told)]
    else:
        again.input_str = f"{again.input_str}\n\n{written.text}\n\n{told}"
    return again
