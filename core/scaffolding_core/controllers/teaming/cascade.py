"""Cascade: a cheap model answers where it is sure, and a strong one where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.apart import apart
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.further import asked_further
from scaffolding_core.controllers.parts import checked_number, checked_part, checked_share
from scaffolding_core.controllers.samples import checked_sample_num
from scaffolding_core.controllers.sampling import MajorityVoteController
from scaffolding_core.controllers.selecting import BestOfNController
from scaffolding_core.controllers.votes import answered
from scaffolding_core.errors import (
    BudgetExceededError,
    InsufficientSamplesError,
    InvalidRequestError,
    WorkerError,
)
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.voting import Full, Quorum

__all__ = ["CascadeController"]

_HALF = 0.5


class CascadeController(Controller):
    """Takes the answer of the cheap model where it is sure, and else asks the strong one.

    The cheap model is sure where at least the `threshold` of its k samples give the same answer, those counted in
    that fail or have none; with a reward, where its best sample is scored so high. Where it fails altogether the
    strong one is asked. More than two stages are made by nesting: the strong one may be a cascade.

    The output's `data` says in `answered_by` whose answer it is, `generation` or `strong`, and in `confidence` how
    sure the cheap one was, None where it failed; in `strong` what the strong one's method tells in its own. All
    samples are `candidates`, the strong one's answer last; votes and agreement are those of whoever answered.

    Where time is up before the strong one has answered, the cheap one's answer is the result. Where the strong one
    fails, the request does: nobody is sure of the other answer.

    Cost: at most k samples, as many at the same time as must agree, and no more once it is known whether they do;
    and what the strong one costs, for the share of questions where they do not.

    Source: Chen et al. 2023, arXiv 2305.05176, with a threshold that is given, not learnt; that of consistency is
    Yue et al. 2023, arXiv 2310.03094.

    Args:
        generation_controller: the cheap method; give it a temperature above 0.
        strong_controller: the strong method.
        default_sample_num: k, unless a request says `sample_num`; at least 2 without a reward, since one sample
            always agrees with itself.
        threshold: the least share of equal answers, above 0 and at most 1; or the least reward.
        answers: the kind of answer, such as `"number"`; see `Answers`.
        reward_controller: scores the cheap samples, in place of their agreement.
        min_samples: how many cheap samples must succeed.

    Raises:
        InvalidRequestError: a number out of its range, an unknown kind, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        strong_controller: Controller,
        default_sample_num: int = 5,
        *,
        threshold: float = 0.6,
        answers: AnswersLike | None = None,
        reward_controller: Controller | None = None,
        min_samples: int = 1,
    ) -> None:
        checked_part(generation_controller, "generation_controller", "process")
        self.strong_controller = checked_part(strong_controller, "strong_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 5)
        self.answers = Answers.of(answers)
        self.cheap: MajorityVoteController | BestOfNController
        if reward_controller is None:
            self.threshold = checked_share("threshold", threshold)
            rule = Quorum(threshold) if threshold > _HALF else Full()  # two answers may reach half
            self.cheap = MajorityVoteController(
                generation_controller, answers=answers, stop_rule=rule, min_samples=min_samples
            )
        else:
            self.threshold = checked_number("threshold", threshold)
            self.cheap = BestOfNController(
                generation_controller, reward_controller, min_samples=min_samples, enough=self.threshold
            )
        self._samples(None)

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task, which gets the results of whoever answers it.

        Raises:
            InvalidRequestError: not one task, or one sample whose agreement nobody can tell.
            BudgetExceededError: budget or deadline ran out before any answer was there.
            WorkerError: the strong one failed.
        """
        if len(tasks) != 1:
            raise InvalidRequestError(f"a cascade is sure of one answer: give one task, not {len(tasks)}")
        task, n = tasks[0], self._samples(sample_num)
        cheap = yield from self._cheap(task, n, generation_kwargs, answers)
        confidence = None if cheap is None else self._confidence(cheap, n)
        sure = confidence is not None and confidence >= self.threshold
        output = cheap if cheap is not None and sure else (yield from self._strong(task, cheap))
        data: dict[str, object] = {"answered_by": "generation", "confidence": confidence}
        if output is not cheap:
            data |= {"answered_by": "strong", **({"strong": output.data} if output.data else {})}
        if output.answer is None and output.finish_reason != "cancelled":
            compared = self.answers if answers is None else Answers.of(answers)
            yield from answered(output, extractor_for(task, compared))
        output.method, output.data = type(self).__name__, data
        return output

    def _samples(self, sample_num: int | None) -> int:
        n = checked_sample_num(sample_num, self.default_sample_num)
        if n == 1 and isinstance(self.cheap, MajorityVoteController):
            raise InvalidRequestError("one sample always agrees with itself: take at least 2, or a reward")
        return n

    def _cheap(
        self,
        task: GenerationTask,
        n: int,
        generation_kwargs: Mapping[str, object] | None,
        answers: AnswersLike | None,
    ) -> Steps[ScaffoldingOutput | None]:
        """What the cheap one says; None where it fails."""
        steps = self.cheap.process([task], sample_num=n, generation_kwargs=generation_kwargs, answers=answers)
        try:
            return (yield from apart(steps))
        except (InsufficientSamplesError, WorkerError):
            return None

    def _confidence(self, cheap: ScaffoldingOutput, n: int) -> float | None:
        """How sure it is; None where its reward has scored nothing."""
        if isinstance(self.cheap, BestOfNController):
            return cheap.score
        return max(cheap.votes.values(), default=0) / n

    def _strong(self, task: GenerationTask, cheap: ScaffoldingOutput | None) -> Steps[ScaffoldingOutput]:
        """What the strong one says; what the cheap one said where time is up before that is whole."""
        asked, before = task.copy(), [] if cheap is None else cheap.candidates
        try:
            output = yield from asked_further(self.strong_controller, [asked], before, {})
        except BudgetExceededError:
            if cheap is None:
                raise
        else:
            if cheap is None or output.finish_reason != "cancelled":
                task.take_results(asked)
                task.usage, task.error = asked.usage, asked.error
                return output
        cheap.stopped = "budget"
        return cheap
