"""Re-reading: say the question twice."""

from __future__ import annotations

from scaffolding_core.controllers.prompting.chain_of_thought import ChainOfThoughtController
from scaffolding_core.controllers.prompting.instructed import instructed, question_of
from scaffolding_core.tasks import GenerationTask

__all__ = ["ReReadingController"]


class ReReadingController(ChainOfThoughtController):
    """Chain of thought behind a question that is said twice, so that its second reading knows its end.

    Of a chat the last user message is said again, its text alone. A prompt of token ids is left as it is.

    Cost: that of the generation it wraps, with longer texts, and the question's tokens once more.

    Source: Xu et al. 2023, arXiv 2309.06275.
    """

    def _asked(self, task: GenerationTask) -> GenerationTask:
        again = f"Read the question again: {question_of(task)}"
        if self.in_system:
            return self._told(instructed(task, again), self.instruction)
        return instructed(task, f"{again}\n\n{self.instruction}".rstrip())
