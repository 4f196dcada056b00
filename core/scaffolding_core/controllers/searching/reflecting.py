"""Reflecting: what finds next steps, and says what a path that failed teaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.controller import Race, Steps
from scaffolding_core.controllers.prompting.instructed import question_of
from scaffolding_core.controllers.samples import derived_seed
from scaffolding_core.controllers.searching.ideas import Idea, NextSteps, Place
from scaffolding_core.controllers.searching.prompts import PromptLike, reworded, written
from scaffolding_core.errors import BudgetExceededError

__all__ = ["Reflecting"]

_SAID = "It was judged so: {}"


@dataclass(slots=True, kw_only=True)
class Reflecting:
    """Finds next steps; the model that finds them reflects on each answer that failed.

    Args:
        steps: what finds them.
        prompt: for a reflection.
        enough: an answer with a lower value has failed; None where only a verdict tells.
        left: reflections at most.
    """

    steps: NextSteps
    prompt: PromptLike
    enough: float | None
    left: int

    @property
    def samples(self) -> int:
        """How many samples a trial takes, without reflections."""
        return self.steps.samples

    def found(self, place: Place) -> Steps[list[Idea]]:
        """The next steps, those that failed with their lessons."""
        ideas = yield from self.steps.found(place)
        failed = [] if any(idea.passed for idea in ideas) else list(filter(self._failed, ideas))[: self.left]
        self.left -= len(failed)
        race = Race([self._lesson(idea, place, index) for index, idea in enumerate(failed)], failures="values")
        try:
            while (outcome := (yield race)) is not None:
                failed[outcome.index].lesson = outcome.value or ""
        except BudgetExceededError:
            pass  # the steps are there
        return ideas

    def _failed(self, idea: Idea) -> bool:
        if not idea.final or idea.judgement is None or idea.message.tool_calls:
            return False
        if idea.judgement.verdict is not None:
            return not idea.judgement.verdict
        return self.enough is not None and idea.judgement.score < self.enough

    def _lesson(self, idea: Idea, place: Place, index: int) -> Steps[str]:
        asked, feedback = self.steps.asked, None if idea.judgement is None else idea.judgement.feedback
        steps: Sequence[str] = [*place.path, idea.step, *([_SAID.format(feedback)] if feedback else [])]
        task = reworded(asked, written(self.prompt, question_of(asked), steps, 1))
        if task.seed is not None:
            task.seed = derived_seed(derived_seed(task.seed, place.number), self.steps.branches + index)
        yield from self.steps.generation.clone().process([task], **self.steps.options)
        return " ".join((without_thoughts(task.message().text) or "").split())
