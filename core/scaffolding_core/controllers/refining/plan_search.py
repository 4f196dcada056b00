"""Plan search: answers that differ because the plans do that they carry out."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.rewarded import RewardedController
from scaffolding_core.controllers.parts import checked_part, checked_whole
from scaffolding_core.controllers.prompting.beside import said
from scaffolding_core.controllers.refining.asking import checked_question, generated, told
from scaffolding_core.controllers.refining.listed import listed
from scaffolding_core.controllers.refining.selection import Selection
from scaffolding_core.controllers.sample_loop import drawn
from scaffolding_core.controllers.samples import Samples, checked_sample_num, derived_seed, seeded
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["PlanSearchController"]

OBSERVE = (
    "Do not answer yet. Write at most {most} observations that could help to answer this, each of another kind, "
    "as a numbered list and nothing else: a property of the problem, an approach, a special case, a pitfall."
)
DERIVE = (
    "Do not answer yet. These observations were made:\n{observations}\n\nWhat new observations follow from them, "
    "taken together? Write at most {most}, as a numbered list and nothing else."
)
PLAN = (
    "Do not answer yet. These observations were made:\n{observations}\n\nWrite a plan in words that leads to the "
    "answer and uses all of them. Leave out any that proves wrong."
)
SOLVE = "Follow this plan, and mend it where it is wrong:\n{plan}\n\nAnswer now."


class PlanSearchController(RewardedController):
    """Searches over plans in words: observations, combinations of them, a plan for each, and its answer.

    The model first writes observations. Each sample takes one or two of them, another choice than the other
    samples as long as there are some, and asks for what follows from these, for a plan that uses both, and for the
    answer by that plan. So samples differ in their ideas, not in their words alone. The best is the answer given
    most often; with a reward it is the one with the highest, such as the tests that a program passes.

    Samples run at the same time, each its three steps one after another, and are cut when the vote is decided. One
    that fails costs itself alone; one that wants tools called is handed on at once. Observations and plans stand
    in the output's `data`. Without any observation the plans are made without; an empty plan gives way to what it
    rests on.

    Cost: 1 generation, then 3n, in three steps; with a reward n rewards too.

    Source: Wang et al. 2024, arXiv 2409.03733; without its criticism of each plan, and without pseudo-code between
    plan and program.

    Args:
        generation_controller: the method that does all four; give it a temperature above 0.
        default_sample_num: n, unless a request says `sample_num`.
        max_observations: the most that are taken of a list.
        reward_controller: scores an answer, as for `BestOfNController`; None for a vote.
        answers: the kind of answer; see `Answers`.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number of samples, or of observations, below 1, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 8,
        *,
        max_observations: int = 6,
        reward_controller: Controller | None = None,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.max_observations = checked_whole("max_observations", max_observations, 1)
        self.reward_controller = reward_controller
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
            WorkerError: the observations failed, or a reward that compares samples.
        """
        task, n = checked_question(tasks), checked_sample_num(sample_num, self.default_sample_num)
        options = generation_kwargs or {}
        observations = yield from self._listed(task, OBSERVE.format(most=self.max_observations), n, options)
        chosen, plans = _choices(observations, n, task.seed), dict[int, str]()

        def begin(sample: list[GenerationTask]) -> Steps[ScaffoldingOutput]:
            index = len(samples.tasks) - 1
            return selection.scored(sample[0], self._solved(sample[0], chosen[index], plans, index, options))

        samples = Samples([self.asking(task)], n, begin, min_samples=min(self.min_samples, n))
        selection = Selection(
            samples,
            self.answers if answers is None else Answers.of(answers),
            trusting=self._trusting and answers is None,
            votes=n,
            rewarder=self.reward_controller,
        )
        yield from drawn(samples, selection)
        output = yield from selection.concluded(tasks, type(self).__name__)
        output.data = {
            "observations": observations,
            "plans": [
                {"sample": index, "observations": chosen[index], "plan": plan}
                for index, plan in sorted(plans.items())
            ],
        }
        return output

    def _solved(
        self,
        task: GenerationTask,
        observations: Sequence[str],
        plans: dict[int, str],
        index: int,
        options: Mapping[str, object],
    ) -> Steps[ScaffoldingOutput]:
        """Plan a sample by its observations and what follows from them, and answer by the plan."""
        known = list(observations)
        if observations:
            derive = DERIVE.format(observations=_bullets(observations), most=self.max_observations)
            known += yield from self._listed(task, derive, 0, options)
        asked = told(task, PLAN.format(observations=_bullets(known)))
        plans[index] = plan = yield from said(self.generation_controller, seeded(asked, 1), options)
        asked = told(task, SOLVE.format(plan=plan or _bullets(known)))
        return (yield from generated(self.generation_controller, task, asked, options))

    def _listed(
        self, task: GenerationTask, prompt: str, number: int, options: Mapping[str, object]
    ) -> Steps[list[str]]:
        text = yield from said(self.generation_controller, seeded(told(task, prompt), number), options)
        return listed(text)[: self.max_observations]


def _choices(observations: Sequence[str], n: int, seed: int | None) -> list[list[str]]:
    """One or two observations for each sample: all choices there are, shuffled, before any comes again."""
    choices = [list(each) for size in (1, 2) for each in itertools.combinations(observations, size)] or [[]]
    random.Random(derived_seed(seed or 0, n)).shuffle(choices)
    return list(itertools.islice(itertools.cycle(choices), n))


def _bullets(observations: Sequence[str]) -> str:
    return "\n".join(f"- {each}" for each in observations) or "(none)"
