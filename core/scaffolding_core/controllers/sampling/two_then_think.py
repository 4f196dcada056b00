"""Two, then think: two cheap samples, and a costly method only where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.further import asked_further
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.controllers.prompting.chain_of_thought import ChainOfThoughtController
from scaffolding_core.controllers.sample_loop import all_drawn
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.controllers.sampling.majority_vote import MajorityVoteController
from scaffolding_core.controllers.votes import counted, vote_output
from scaffolding_core.errors import BudgetExceededError
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["TwoThenThinkController"]

_CHEAP = 2


class TwoThenThinkController(Controller):
    """Draws two cheap samples, and asks a costly method only where they differ.

    Where both give the same answer, or want the same tool called, or both decline, the first of them is the
    result, whole. Else, also where one fails or has no answer, the costly method answers; so a call of a tool that
    changes things is never a blind guess. The output's `data["thought"]` tells whether the costly method was
    asked, and its `candidates` are both samples and then those of the costly method; `votes` and `agreement` are
    those of whichever decided. When time is up before the costly method has an answer, the first sample with one
    counts.

    Cost: two generations at the same time, and in as many cases as they differ the costly method.

    Args:
        generation_controller: the method that samples; give it a temperature above 0, or two say little.
        default_sample_num: samples of the vote that is the costly method where none is given.
        costly_controller: the costly method; None for a majority vote over chains of thought of the generation.
        answers: the kind of answer, such as `"number"`; see `Answers`.

    Raises:
        InvalidRequestError: a number of samples below 1, an unknown kind, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 8,
        *,
        costly_controller: Controller | None = None,
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.answers = Answers.of(answers)
        if costly_controller is None:
            thinking = ChainOfThoughtController(generation_controller)
            costly_controller = MajorityVoteController(thinking, self.default_sample_num, answers=self.answers)
        self.costly_controller = checked_part(costly_controller, "costly_controller", "process")

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Sample twice, compare, and think where they differ; the tasks get the results of what decided.

        Args:
            tasks: to answer.
            sample_num: samples of the costly method, which must take the option.
            generation_kwargs: options of both samples.
            answers: in place of the kind that the method was made with; the costly method must take it too.

        Raises:
            BudgetExceededError: budget or deadline ran out before there was any answer.
            ScaffoldingError: that of the costly method.
        """
        options = {"sample_num": sample_num, "answers": answers}
        samples = Samples.of_method(
            self.generation_controller, tasks, _CHEAP, generation_kwargs or {}, min_samples=0
        )
        yield from all_drawn(samples)
        votes = yield from counted(
            [candidate for candidate in samples.in_order() if candidate.error is None],
            self.answers if answers is None else Answers.of(answers),
            samples,
        )
        thought = not (votes and len(votes[0]) == _CHEAP)
        if thought:
            try:
                given = {name: value for name, value in options.items() if value is not None}
                return (yield from self._think(tasks, samples, given))
            except BudgetExceededError as error:
                samples.out_of_budget(error)
        chosen = votes[0][0] if votes else samples.succeeded()[0]
        voted = {voter.index for voters in votes for voter in voters}
        output = yield from vote_output(samples, tasks, chosen, votes, voted, type(self).__name__)
        output.data = {"thought": thought}
        return output

    def _think(
        self, tasks: Sequence[GenerationTask], samples: Samples, options: Mapping[str, object]
    ) -> Steps[ScaffoldingOutput]:
        output = yield from asked_further(self.costly_controller, tasks, samples.in_order(), options)
        output.method, output.data = type(self).__name__, {**(output.data or {}), "thought": True}
        return output
