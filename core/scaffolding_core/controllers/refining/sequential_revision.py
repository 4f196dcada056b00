"""Sequential revision: the model revises its answers again and again, and the best of all is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.rewarded import RewardedController
from scaffolding_core.controllers.parts import checked_part, checked_whole
from scaffolding_core.controllers.refining.asking import checked_question, followed_up, generated, same
from scaffolding_core.controllers.refining.selection import Selection
from scaffolding_core.controllers.sample_loop import drawn
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["AGAIN", "SequentialRevisionController"]

AGAIN = (
    "That answer may be wrong. Look for what is wrong in it, and answer the question again, whole, as if for the "
    "first time; keep what is right."
)


class SequentialRevisionController(RewardedController):
    """Answers n times one after another, each time with the last m answers in view, and takes the best of all.

    The best is the answer given most often, of equals the one given last; with a reward it is the one with the
    highest. The last answer need not be it: a model that revises also turns right answers into wrong ones. Each
    answer is a candidate. One that wants tools called is handed on at once. A revision that fails costs itself
    alone, and the next one sees those before it; where time is up, the best so far counts.

    Cost: n generations, one after another, with up to m answers in their prompts; fewer where the vote is decided
    before. With a reward n rewards too, each before the next revision.

    Source: Snell et al. 2024, arXiv 2408.03314; there the model is trained to revise, and one that is not gains
    less. Give it to a vote, to have several chains at the same time.

    Args:
        generation_controller: the method that answers.
        default_sample_num: n, unless a request says `sample_num`.
        shown: m, the most answers that a revision sees.
        reward_controller: scores an answer, as for `BestOfNController`; None for a vote.
        again: what asks for a revision, behind each answer shown.
        answers: the kind of answer; see `Answers`.
        min_samples: how many answers must succeed.

    Raises:
        InvalidRequestError: a number of samples, or of answers shown, below 1, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 4,
        *,
        shown: int = 4,
        reward_controller: Controller | None = None,
        again: str = AGAIN,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.shown = checked_whole("shown", shown, 1)
        self.reward_controller = reward_controller
        self.again = again
        self.answers = Answers.of(answers)
        self._trusting = answers is None
        self.min_samples = checked_sample_num(min_samples, 1)
        if reward_controller is not None:
            checked_part(reward_controller, "reward_controller", "process")

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task, which keeps its prompt and gets the best answer.

        Raises:
            InvalidRequestError: not one task, or one that asks nothing in words.
            InsufficientSamplesError: fewer than `min_samples` succeeded.
            BudgetExceededError: budget or deadline ran out before there was any answer.
            WorkerError: a reward that compares samples failed.
        """
        task, n = checked_question(tasks), checked_sample_num(sample_num, self.default_sample_num)
        options = generation_kwargs or {}

        def begin(sample: list[GenerationTask]) -> Steps[ScaffoldingOutput]:
            asked = self._asked(sample[0], samples)
            return selection.scored(sample[0], generated(self.generation_controller, sample[0], asked, options))

        samples = Samples([self.asking(task)], n, begin, min_samples=min(self.min_samples, n))
        selection = Selection(
            samples,
            self.answers if answers is None else Answers.of(answers),
            trusting=self._trusting and answers is None,
            votes=n,
            rewarder=self.reward_controller,
            ahead=1,
            latest=True,
        )
        yield from drawn(samples, selection)
        return (yield from selection.concluded(tasks, type(self).__name__))

    def _asked(self, task: GenerationTask, samples: Samples) -> GenerationTask:
        before = [each for each in samples.in_order() if each.error is None][-self.shown :]
        asked = same(samples.asked) if not samples.candidates else task.copy()
        for each in before:
            asked = followed_up(asked, each.message, self.again)
        return asked
