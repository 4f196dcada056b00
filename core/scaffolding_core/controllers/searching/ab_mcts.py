"""Adaptive branching tree search over whole answers: another one, or a better one of one that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from scaffolding_core.answers import AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.exhibits import answer_text
from scaffolding_core.controllers.prompting.instructed import question_of
from scaffolding_core.controllers.samples import seeded
from scaffolding_core.controllers.searching.ideas import Evaluation, Finder, Idea, Place, gathered
from scaffolding_core.controllers.searching.prompts import REFINE, PromptLike, checked_prompt, reworded, written
from scaffolding_core.controllers.searching.state_judges import EvaluatorLike
from scaffolding_core.controllers.searching.tree_method import TreeMethod
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError
from scaffolding_core.search import AbMcts, TreeSearch
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.verifying import Verifier

__all__ = ["AbMctsController"]


class AbMctsController(TreeMethod):
    """Draws whole answers: at each turn either a new one, or a better one of one that is there, whichever promises
    more.

    A node of the tree is an answer, and what is below it was made by refining it; Thompson sampling decides where
    the next one is made. The first is asked for as any other method would; a refinement sees the answer above it,
    its value, and what its reward says of it. The result is the answer with the highest value, as the model said
    it.

    Cost: at most `max_samples` samples and as many evaluations, `width` of each at the same time; the same answers
    are evaluated once. `treequest`, behind the extra `treequest`, brings scipy, and takes a second to import.

    Source: Inoue et al. 2025, arXiv 2503.04412, variant A.

    Args:
        generation_controller: the method that answers; give it a temperature above 0.
        judge_controller: the model that evaluates answers, from 1 to 10; None for the role `judge`.
        evaluator: what evaluates in its place: `reward` or `process_reward`, or a reward that judges each answer
            by itself; its values go from 0 to 1.
        refine: the prompt for a better answer, in place of the question: a text with `{question}` and `{steps}`,
            or a function of the question and a list of the answer and what was said of it; None for one in general
            words.
        verifier: tells whether an answer is right, in the evaluator's place: the first that passes ends the
            search.
        enough: the value of an answer that ends the search; None for none. An answer that its reward passes does.
        width: answers that are made at once.
        max_samples: answers in all, unless a request says `sample_num`.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: a number out of its range, an unknown name, or something that is no controller.
        MissingExtraError: the extra `treequest` is not installed.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        judge_controller: Controller | None = None,
        *,
        evaluator: EvaluatorLike = "score",
        refine: PromptLike | None = None,
        verifier: Verifier | None = None,
        enough: float | None = None,
        width: int = 4,
        max_samples: int = 16,
        answers: AnswersLike | None = None,
    ) -> None:
        super().__init__(
            generation_controller,
            judge_controller,
            evaluator=evaluator,
            verifier=verifier,
            enough=enough,
            width=width,
            max_samples=max_samples,
            answers=answers,
        )
        if getattr(self.evaluator, "compares_samples", False):
            raise InvalidRequestError(f"answers are evaluated each by itself, which {evaluator!r} does not")
        self.refine = REFINE if refine is None else checked_prompt("refine", refine)

    def new_search(self, seed: int = 0) -> AbMcts:
        """A search that has not begun."""
        return AbMcts(seed=seed)

    def finder(self, task: GenerationTask, search: TreeSearch, options: Mapping[str, object]) -> Finder:
        """What makes the answers to a request."""
        evaluation = Evaluation(task, self.evaluator, self.verifier)
        return _Refined(task, self.generation_controller, options, evaluation, self.refine)


@dataclass(frozen=True, slots=True)
class _Refined:
    """Makes an answer, or a better one of one that is there."""

    asked: GenerationTask
    generation: Controller
    options: Mapping[str, object]
    evaluation: Evaluation
    prompt: PromptLike
    samples: int = 1

    def found(self, place: Place) -> Steps[list[Idea]]:
        ideas = yield from gathered([self._answer(place)])
        yield from self.evaluation.left(ideas, ())
        return ideas

    def _answer(self, place: Place) -> Steps[Idea]:
        task = self.asked.copy()
        if place.before is not None:
            shown = [answer_text(place.before, thoughts=False), *_said(place)]
            task = reworded(self.asked, written(self.prompt, question_of(self.asked), shown, 1))
        seeded(task, place.number)
        yield from self.generation.clone().process([task], **self.options)
        if task.finish_reason == "cancelled":  # the method made do with a part of the text
            raise task.error or BudgetExceededError("time was up before an answer had ended", "deadline")
        said = task.message()
        return (yield from self.evaluation.one(Idea(answer_text(said, thoughts=False), said, True), ()))


def _said(place: Place) -> Sequence[str]:
    judgement = place.judgement
    if judgement is None:
        return ()
    feedback = f": {judgement.feedback}" if judgement.feedback else ""
    return (f"It was given {judgement.score:.2f} of 1{feedback}",)
