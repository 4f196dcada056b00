"""Samples of one request: drawn lazily, raced, and collected as candidates."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

from scaffolding_core.controller import Controller, Outcome, Race, Steps
from scaffolding_core.errors import (
    BudgetExceededError,
    InsufficientSamplesError,
    InvalidRequestError,
    ScaffoldingError,
    WorkerError,
)
from scaffolding_core.results import Candidate, DecisionEvent, ScaffoldingOutput, Stopped
from scaffolding_core.tasks import GenerationTask, RewardTask

__all__ = ["Samples", "checked_sample_num", "derived_seed", "seeded"]

Seeded = TypeVar("Seeded", bound=GenerationTask)


class Samples:
    """Up to `n` samples of the same tasks, run at the same time.

    Args:
        tasks: what every sample runs a copy of.
        n: samples at most.
        begin: makes a task or a generator of a sample's copies.
        ahead: how many may run and not be looked at yet; None for all.
        min_samples: as soon as fewer than these can succeed, `take` raises.

    Attributes:
        asked: the first of the tasks.
        race: yield it for the next outcome.
        tasks: the copies of each sample started, by index.
        candidates: what is known of each sample that ended, by index.
        stopped: why no more came.
    """

    def __init__(
        self,
        tasks: Sequence[GenerationTask],
        n: int,
        begin: Callable[[list[GenerationTask]], GenerationTask | Steps[Any]],
        *,
        ahead: int | None = None,
        min_samples: int = 1,
    ) -> None:
        self.n = n
        self.asked = tasks[0]
        self.race = Race(self._draw(tasks, begin), ahead=ahead, failures="values")
        self.tasks: list[list[GenerationTask]] = []
        self.candidates: dict[int, Candidate] = {}
        self.failures: list[BaseException] = []
        self.stopped: Stopped = "complete"
        self._min_samples = min_samples
        self._end_of_budget: BudgetExceededError | None = None

    @classmethod
    def of_method(
        cls,
        method: Controller,
        tasks: Sequence[GenerationTask],
        n: int,
        options: Mapping[str, object],
        *,
        min_samples: int,
    ) -> Self:
        """Samples of a method, each with the options."""
        least = min(min_samples, n)
        lone = method.as_task(tasks[0].copy()) if len(tasks) == 1 and not options else None
        if lone is not None:
            return cls([lone], n, operator.itemgetter(0), min_samples=least)
        return cls(tasks, n, lambda sample: method.clone().process(sample, **options), min_samples=least)

    def _draw(
        self,
        tasks: Sequence[GenerationTask],
        begin: Callable[[list[GenerationTask]], GenerationTask | Steps[Any]],
    ) -> Iterator[GenerationTask | Steps[Any]]:
        group = object()
        for index in range(self.n):
            sample = []
            for task in tasks:
                copy = task.copy()
                copy.group, copy.sample_index = group, index
                seeded(copy, index)
                sample.append(copy)
            self.tasks.append(sample)
            yield begin(sample)

    def take(self, outcome: Outcome) -> Candidate:
        """Record how a sample ended.

        Raises:
            InsufficientSamplesError: too few are left that could succeed.
            ScaffoldingError: the sample's own, where every other would meet it.
        """
        index, value, error = outcome.index, outcome.value, outcome.error
        task = self.tasks[index][0]
        said = task.said
        candidate = self.candidates[index] = Candidate(index, said, usage=outcome.usage, cut=outcome.cut)
        if error is None and said is not None and said.finish_reason == "cancelled":
            error = task.error  # the method made do with a part of the text, which must not vote
        if value is not task and isinstance(value, ScaffoldingOutput):
            candidate.message = value.message
            candidate.answer, candidate.read_as = value.answer, value.read_as
            candidate.score, candidate.judgement = value.score, value.judgement
            candidate.transcript = value.transcript
            if value.stopped == "budget":
                self._stop_at_budget()
        if error is not None:
            self._fail(candidate, error, answered=outcome.answered)
        return candidate

    def out_of_budget(self, error: BudgetExceededError) -> None:
        """Start no more samples; what runs may still end."""
        self._stop_at_budget()
        self._end_of_budget = error

    def _stop_at_budget(self) -> None:
        self.race.ahead = 0
        self.stopped = "budget"

    def concluded(
        self, tasks: Sequence[GenerationTask], chosen: Candidate, method: str
    ) -> Steps[ScaffoldingOutput]:
        """End with a chosen sample: cut what still runs, and give the tasks its results."""
        yield DecisionEvent((), chosen, self.stopped)
        if self.stopped == "decided":
            for outcome in (yield self.race.cancel()):
                self.take(outcome)
        for task, best in zip(tasks, self.tasks[chosen.index], strict=True):
            task.take_results(best)
        output = ScaffoldingOutput.of(chosen, method=method)
        output.candidates, output.stopped = self.begun(), self.stopped
        return output

    def to_judge(self, candidate: Candidate) -> RewardTask:
        """What a judge is given of a candidate: its prompt, and what it answers."""
        reward = RewardTask.for_answer(self.tasks[candidate.index][0])
        reward.response = candidate.message
        return reward

    def succeeded(self) -> list[Candidate]:
        """The candidates that did not fail, by index.

        Raises:
            InsufficientSamplesError: all failed.
            BudgetExceededError: budget or deadline ran out before any succeeded.
        """
        succeeded = [candidate for candidate in self.in_order() if candidate.error is None]
        if not succeeded:
            raise self.nothing_succeeded()
        return succeeded

    def in_order(self) -> list[Candidate]:
        """All candidates so far, by index."""
        return [self.candidates[index] for index in sorted(self.candidates)]

    def begun(self) -> list[Candidate]:
        """Those of the candidates that anything was paid for, by index."""
        return [candidate for candidate in self.in_order() if _began(candidate)]

    def nothing_succeeded(self) -> BaseException:
        """What to raise where none is left: the end of the budget, what all would meet, or all the failures."""
        if self._end_of_budget is not None:
            return self._end_of_budget
        for error in self.failures:
            if isinstance(error, ScaffoldingError) and error.recurs == "always":
                return error
        last = f"; the last error: {self.failures[-1]}" if self.failures else ""
        return InsufficientSamplesError(f"none of {len(self.candidates)} samples succeeded{last}", self.failures)

    def _fail(self, candidate: Candidate, error: BaseException, *, answered: bool) -> None:
        candidate.error = error
        if isinstance(error, BudgetExceededError):
            self.out_of_budget(error)
            return
        if self._meets_all(error, answered):
            raise error
        self.failures.append(error)
        if self.stopped == "complete" and self.n - len(self.failures) < self._min_samples:
            raise InsufficientSamplesError(
                f"{len(self.failures)} of {self.n} samples failed, and at least {self._min_samples} must "
                f"succeed; the last error: {error}",
                self.failures,
            )

    def _meets_all(self, error: BaseException, answered: bool) -> bool:
        """Whether every other sample would meet that error; the first that they ask is the same of all."""
        if not isinstance(error, ScaffoldingError) or error.recurs is None:
            return False
        if isinstance(error, WorkerError) and any(each.error is None for each in self.candidates.values()):
            return False  # a backend has answered another
        return error.recurs == "always" or not answered


def _began(candidate: Candidate) -> bool:
    """Whether anything was paid for it: one that was cut in the queue, or refused by the budget, never began."""
    stopped = candidate.cut or isinstance(candidate.error, BudgetExceededError)
    return candidate.usage is not None or not stopped


def checked_sample_num(sample_num: object, default: int) -> int:
    """The number of samples to draw.

    Raises:
        InvalidRequestError: not a whole number of at least 1.
    """
    n = default if sample_num is None else sample_num
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise InvalidRequestError(f"sample_num must be a whole number of at least 1, got {n!r}")
    return n


def derived_seed(seed: int, index: int) -> int:
    """A seed for one sample of many: fixed by both, and unlike those of other samples and nestings."""
    digest = hashlib.blake2b(f"{seed}/{index}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def seeded(task: Seeded, index: int) -> Seeded:
    """The task with the seed of one call of many, where it has one."""
    if task.seed is not None:
        task.seed = derived_seed(task.seed, index)
    return task
