"""Multi-chain comparison: several chains of thought, and an answer by the model that has read them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.parts import checked_part, checked_template
from scaffolding_core.controllers.refining.asking import checked_question, generated, same, shown, told
from scaffolding_core.controllers.refining.selection import Selection
from scaffolding_core.controllers.sample_loop import drawn
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["COMPARE", "MultiChainComparisonController"]

COMPARE = (
    "Several people have worked on that, each alone:\n\n{answers}\n\nCompare their steps: where do they differ, "
    "and who is right there? Facts of one may mend the steps of another. Then answer the question yourself, step "
    "by step, with what holds."
)


class MultiChainComparisonController(Controller):
    """Samples n chains at the same time, and lets the model read them all and write the answer.

    Unlike a vote this looks at how the chains came to their answers: it may put together what several hold, and go
    with one against the most. The chains are shown without thoughts. They and the answer are the candidates, the
    answer last; `agreement` is the share of all these that answer as it does.

    A chain that fails costs itself alone; one that ends alone is the result, and one that wants tools called is
    handed on at once. Where the comparison fails, or has no time left, the chains vote.

    Cost: n generations at the same time, then one with all of them in its prompt.

    Source: Yoran et al. 2023, arXiv 2304.13007; chains of one question, where the paper's ask for facts on the way
    and look them up, and without its few-shot examples.

    Args:
        generation_controller: the method that makes the chains, and compares; give it a temperature above 0.
        default_sample_num: n, unless a request says `sample_num`.
        compare: what asks for the answer, with `{answers}` where the chains go.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: a number of samples below 1, a template of something else, or something that is no
            controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 5,
        *,
        compare: str = COMPARE,
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.compare = checked_template("compare", compare, "answers")
        self.answers = Answers.of(answers)
        self._trusting = answers is None

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task, which keeps its prompt and gets the answer.

        Raises:
            InvalidRequestError: not one task, or one that asks nothing in words.
            InsufficientSamplesError: no chain succeeded.
            BudgetExceededError: budget or deadline ran out before any chain was there.
        """
        task, n = checked_question(tasks), checked_sample_num(sample_num, self.default_sample_num)

        def begin(sample: list[GenerationTask]) -> Steps[ScaffoldingOutput]:
            asked, chains = same(sample[0]), reading.chains()
            if len(samples.tasks) > n:
                asked = told(asked, self.compare.format(answers=shown(each.message for each in chains)))
            return generated(self.generation_controller, sample[0], asked, generation_kwargs or {})

        samples = Samples([task], n + 1, begin)
        selection = Selection(
            samples,
            self.answers if answers is None else Answers.of(answers),
            trusting=self._trusting and answers is None,
            votes=n + 1,
            all_needed=True,
        )
        reading = _Reading(n, samples, selection)
        yield from drawn(samples, reading)
        compared = samples.candidates.get(n)
        chosen = compared if compared is not None and compared.error is None else None
        return (yield from selection.concluded(tasks, type(self).__name__, chosen))


class _Reading:
    """Lets the last sample begin when all before it have ended, unless fewer than two of them can be compared."""

    def __init__(self, n: int, samples: Samples, selection: Selection) -> None:
        self._n, self._samples, self._selection = n, samples, selection

    @property
    def ahead(self) -> int:
        return max(1, self._n - len(self._samples.candidates))

    def chains(self) -> list[Candidate]:
        """Those that did not fail."""
        return [each for each in self._samples.in_order() if each.error is None]

    def at(self, candidate: Candidate) -> bool | Steps[bool]:
        alone = len(self._samples.candidates) == self._n and len(self.chains()) < 2
        return self._last(candidate) if alone else self._selection.at(candidate)

    def _last(self, candidate: Candidate) -> Steps[bool]:
        looked = self._selection.at(candidate)
        if not isinstance(looked, bool):
            yield from looked
        return True
