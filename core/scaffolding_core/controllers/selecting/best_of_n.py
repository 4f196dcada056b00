"""Best-of-N: sample several answers, keep the one with the highest reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.answering import in_thread
from scaffolding_core.controllers.judging.once import JudgedOnce
from scaffolding_core.controllers.judging.rewarded import RewardedController
from scaffolding_core.controllers.parts import checked_number, checked_part
from scaffolding_core.controllers.sample_loop import drawn
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.controllers.scoring import judged
from scaffolding_core.controllers.votes import counted, mark_late, tell_votes
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError, WorkerError
from scaffolding_core.results import Candidate, Judgement, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["BestOfNController", "score_known", "score_left"]


class BestOfNController(RewardedController):
    """Samples N answers and keeps the one with the highest reward; ties go to the earliest sample.

    Each sample is scored as soon as it is there, and those that say the same are scored once; a reward that
    compares samples gets all of them at once, when the last is there. A sample that fails, or that cannot be
    scored, costs that sample alone. Where time is up before any is scored, the earliest that is there is the
    result, without a score.

    Cost: N generations and N rewards, all samples at the same time; fewer where `enough` stops early.

    Source: Cobbe et al. 2021, arXiv 2110.14168.

    Args:
        generation_controller: the method that samples.
        reward_controller: scores a finished sample; its `process` returns the scores, or leaves them in
            `scores`. One whose class says `compares_samples = True` scores all of them in one call.
        default_sample_num: N, unless a request says `sample_num`.
        min_samples: how many samples must succeed.
        enough: a reward that ends the search: the first sample that reaches it wins. Not with a reward that
            compares samples, which has to see them all.
        ahead: samples that may run at once before any is scored; None for all.
        answers: the kind of answer, where the output is to tell how many samples support the best one; see
            `Answers`. It chooses nothing.

    Raises:
        InvalidRequestError: a number of samples below 1, an unknown kind, something that is no controller, an
            `enough` that is no number, or one for a reward that compares samples.
    """

    stateless: ClassVar[bool] = True
    reward_controller: Controller

    def __init__(
        self,
        generation_controller: Controller,
        reward_controller: Controller,
        default_sample_num: int = 4,
        *,
        min_samples: int = 1,
        enough: float | None = None,
        ahead: int | None = None,
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.reward_controller = checked_part(reward_controller, "reward_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 4)
        self.min_samples = checked_sample_num(min_samples, 1)
        self.enough = None if enough is None else checked_number("enough", enough)
        self.ahead = ahead
        self.answers = None if answers is None else Answers.of(answers)
        if ahead is not None and not (isinstance(ahead, int) and ahead >= 1):
            raise InvalidRequestError(f"ahead must be a whole number of at least 1, got {ahead!r}")
        self._check_enough()

    def _check_enough(self) -> None:
        if self.compares and self.enough is not None:
            name = type(self.reward_controller).__name__
            raise InvalidRequestError(f"{name} compares all samples: leave enough out")

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        reward_kwargs: Mapping[str, object] | None = None,
        select_best_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Sample, score, and give the tasks the results of the best sample.

        Raises:
            InsufficientSamplesError: fewer than `min_samples` could be sampled and scored.
            BudgetExceededError: budget or deadline ran out before any sample was there.
            WorkerError: a reward that compares samples failed.
        """
        n = checked_sample_num(sample_num, self.default_sample_num)
        samples = yield from self._scored_samples(tasks, n, generation_kwargs or {}, reward_kwargs or {})
        there = set(samples.candidates)
        scored = [candidate for candidate in samples.in_order() if candidate.score is not None]
        if scored:
            best = yield from self._best(samples, scored, select_best_kwargs or {})
        else:
            best = samples.succeeded()[0]
        compared = self.answers if answers is None else Answers.of(answers)
        votes = [] if compared is None else (yield from counted(scored, compared, samples))
        output = yield from samples.concluded(tasks, best, type(self).__name__)
        mark_late(output.candidates, there)
        if compared is not None:
            tell_votes(output, best, votes)
        return output

    def _scored_samples(
        self,
        tasks: Sequence[GenerationTask],
        n: int,
        generation_kwargs: Mapping[str, object],
        reward_kwargs: Mapping[str, object],
    ) -> Steps[Samples]:
        """Up to n samples, each with its score where it could be scored."""
        samples, once = self._scoring(tasks, n, generation_kwargs, reward_kwargs)
        samples.race.all_needed = self.enough is None
        yield from drawn(samples, _Enough(self.enough, self.ahead, samples, once))
        if self.compares:
            yield from self._score_all(samples, reward_kwargs)
        else:
            yield from score_left(samples, once)
        return samples

    def _scoring(
        self,
        tasks: Sequence[GenerationTask],
        n: int,
        generation_kwargs: Mapping[str, object],
        reward_kwargs: Mapping[str, object],
    ) -> tuple[Samples, JudgedOnce]:
        """Samples that score themselves as they end, unless they are compared, and what scores them."""
        self._check_enough()  # the reward may have been chosen after it was made
        once = JudgedOnce(self.reward_controller, reward_kwargs)

        def begin(sample: list[GenerationTask]) -> Steps[ScaffoldingOutput]:
            if self.compares:
                return self._sampled(sample, generation_kwargs)
            return self._scored(sample, generation_kwargs, once)

        asked, least = [*map(self.asking, tasks)], min(self.min_samples, n)
        return Samples(asked, n, begin, ahead=self.ahead, min_samples=least), once

    def select_best(
        self, tasks: Sequence[GenerationTask], rewards: Sequence[float], **options: Any
    ) -> tuple[GenerationTask, int]:
        """The best of the scored samples, and its place; override it for another choice.

        Where it is overridden it is called in a thread; where time is up before it returns, the reward chooses.
        """
        best = max(range(len(rewards)), key=lambda place: (rewards[place], -place))
        return tasks[best], best

    def _sampled(self, sample: list[GenerationTask], options: Mapping[str, object]) -> Steps[ScaffoldingOutput]:
        """A sample, whose score is still to come: one of a method inside is none of ours."""
        output = yield from self.generation_controller.clone().process(sample, **options)
        if not isinstance(output, ScaffoldingOutput):
            output = sample[0].create_scaffolding_output()
        output.score = None
        return output

    def _scored(
        self,
        sample: list[GenerationTask],
        generation_kwargs: Mapping[str, object],
        once: JudgedOnce,
    ) -> Steps[ScaffoldingOutput]:
        output = yield from self._sampled(sample, generation_kwargs)
        try:
            judgement = yield from once.judge(sample[0])
        except BudgetExceededError:
            output.stopped = "budget"
            return output
        _give(output, judgement)
        return output

    def _score_all(self, samples: Samples, options: Mapping[str, object]) -> Steps[None]:
        candidates = samples.succeeded()
        tasks = [samples.tasks[candidate.index][0] for candidate in candidates]
        try:
            judgements = yield from judged(self.reward_controller, tasks, options)
        except BudgetExceededError as error:
            samples.out_of_budget(error)
            return
        for candidate, judgement in zip(candidates, judgements, strict=True):
            if isinstance(judgement, WorkerError):
                candidate.error = judgement
                samples.failures.append(judgement)
            else:
                _give(candidate, judgement)

    def _best(self, samples: Samples, scored: list[Candidate], options: Mapping[str, object]) -> Steps[Candidate]:
        tasks = [samples.tasks[candidate.index][0] for candidate in scored]
        rewards = [candidate.score for candidate in scored if candidate.score is not None]
        if type(self).select_best is BestOfNController.select_best:
            return scored[self.select_best(tasks, rewards, **options)[1]]
        try:
            chosen = yield from in_thread(lambda given: self.select_best(given, rewards, **options), tasks)
        except BudgetExceededError as error:
            samples.out_of_budget(error)
            return scored[BestOfNController.select_best(self, tasks, rewards)[1]]
        return scored[chosen[1]]


def score_left(samples: Samples, once: JudgedOnce) -> Steps[None]:
    """Give those a score that say the same as one that was being judged when they ended."""
    for candidate in samples.in_order():
        if not _unscored(candidate):
            continue
        task = samples.tasks[candidate.index][0]
        try:
            _give(candidate, once.known(task) or (yield from once.judge(task)))
        except BudgetExceededError as error:
            samples.out_of_budget(error)
            return
        except WorkerError as error:
            candidate.error = error
            samples.failures.append(error)


def score_known(samples: Samples, index: int, once: JudgedOnce) -> float | None:
    """The score of a sample that ended, or of the same that another said; None while that is being judged."""
    candidate = samples.candidates[index]
    if _unscored(candidate):
        _give(candidate, once.known(samples.tasks[index][0]))
    return candidate.score


def _unscored(candidate: Candidate) -> bool:
    return candidate.error is None and not candidate.cut and candidate.score is None


def _give(sample: ScaffoldingOutput | Candidate, judgement: Judgement | None) -> None:
    sample.judgement = judgement
    sample.score = None if judgement is None else judgement.score


@dataclass(frozen=True, slots=True)
class _Enough:
    """Looks at samples until one has enough of a reward; one whose score is still awaited is as one that runs."""

    enough: float | None
    most: int | None
    samples: Samples
    once: JudgedOnce

    @property
    def ahead(self) -> int | None:
        if self.most is None:
            return None
        ended = (
            self.samples.tasks[index][0] for index, each in self.samples.candidates.items() if _unscored(each)
        )
        return self.most - sum(map(self.once.is_judging, ended))

    def at(self, candidate: Candidate) -> bool:
        return self.enough is not None and candidate.score is not None and candidate.score >= self.enough
