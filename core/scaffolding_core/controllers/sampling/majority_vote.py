"""Majority vote: sample several answers, keep the one given most often (self-consistency)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from scaffolding_core.answers import REFUSAL, Answers, AnswersLike, Classes, Equivalence, Extractor, Reading
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.answering import in_thread
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.controllers.sampling.poll import poll
from scaffolding_core.controllers.votes import answered, by_class, vote_output, wording
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.voting import REFUSED, Ballot, Full, StopRule, resolve_stop_rule, winner

__all__ = ["MajorityVoteController"]


class MajorityVoteController(Controller):
    """Samples N answers and keeps the one that was given most often; ties go to the one first seen.

    A sample without an answer abstains. A sample that declines to answer counts in the agreement; where at least
    half of those that vote decline, the first of them is the result, whole. A sample that fails costs that sample
    alone. Samples run at the same time, as many ahead as could settle the vote, and what still runs when it is
    settled is cut. Of the samples that gave the winning answer, the earliest of those that word it as most do is
    the result.

    Cost: at most N generations. The default rule stops when the leader cannot be overtaken, which gives the
    answer of the full vote, always; `beta`, `dirichlet`, `window` and `doubling` stop sooner, with a small risk.

    Source: Wang et al. 2022, arXiv 2203.11171; for the rules see `scaffolding_core.voting`.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        default_sample_num: N, unless a request says `sample_num`.
        answers: the kind of answer, such as `"number"`; see `Answers`.
        extractor: finds the answer in a sample, in place of the kind's own.
        equivalence: which answers are the same, in place of the kind's own.
        stop_rule: `lossless`, `beta`, `dirichlet`, `window`, `doubling` or `full`, or a `StopRule`.
        run_ahead: samples that run at once, as a factor of the votes that would still settle it, `math.inf` for
            all; None takes the rule's own: for lossless all of up to 16, and 1.5 above; 1 for the others. More is
            faster and starts more that never count, so 1 is the choice of who pays by the sample.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number of samples below 1, an unknown stop rule, a run_ahead below 1,
            or a part of the wrong kind.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 8,
        *,
        answers: AnswersLike | None = None,
        extractor: Extractor | None = None,
        equivalence: Equivalence | None = None,
        stop_rule: str | StopRule = "lossless",
        run_ahead: float | None = None,
        min_samples: int = 1,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.answers = Answers.of(answers).with_own(extractor, equivalence)
        self._trusting = answers is None and extractor is None
        self.stop_rule = resolve_stop_rule(stop_rule)
        self.run_ahead = run_ahead
        self.min_samples = checked_sample_num(min_samples, 1)
        if run_ahead is not None and not (isinstance(run_ahead, int | float) and run_ahead >= 1):
            raise InvalidRequestError(f"run_ahead must be at least 1, got {run_ahead!r}")

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        majority_vote_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
        extractor: Extractor | None = None,
        equivalence: Equivalence | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Sample, vote, and give the tasks the results of the chosen sample.

        Raises:
            InsufficientSamplesError: fewer than `min_samples` succeeded.
            BudgetExceededError: budget or deadline ran out before any sample was there.
        """
        n = checked_sample_num(sample_num, self.default_sample_num)
        own_vote = type(self).majority_vote is not MajorityVoteController.majority_vote
        compared = (self.answers if answers is None else Answers.of(answers)).with_own(extractor, equivalence)
        trusting = self._trusting and answers is None and extractor is None
        if n == 1 and not own_vote:
            return self._only_sample(tasks, generation_kwargs or {}, compared, trusting)
        samples = Samples.of_method(
            self.generation_controller, tasks, n, generation_kwargs or {}, min_samples=self.min_samples
        )
        rule = Full() if own_vote else self.stop_rule
        samples.race.all_needed = isinstance(rule, Full)
        ballot = Ballot(rule, n, self.run_ahead)
        own_choice = self._own_choice(samples, majority_vote_kwargs or {}) if own_vote else None
        return self._vote(tasks, samples, ballot, own_choice, compared, trusting)

    def _vote(
        self,
        tasks: list[GenerationTask],
        samples: Samples,
        ballot: Ballot,
        own_choice: Steps[Candidate] | None,
        answers: Answers,
        trusting: bool,
    ) -> Steps[ScaffoldingOutput]:
        extractor, classes = extractor_for(samples.asked, answers), answers.equivalence.classes()
        yield from poll(samples, ballot, classes, extractor, trusting=trusting)
        votes = by_class(samples.candidates, ballot.votes())
        chosen = _winner(samples, votes) if own_choice is None else (yield from own_choice)
        return (yield from vote_output(samples, tasks, chosen, votes, ballot.votes(), type(self).__name__))

    def majority_vote(
        self, candidates_tasks: Sequence[Sequence[GenerationTask]], **options: Any
    ) -> tuple[int, object]:
        """The vote over all samples; override it for one of your own.

        Where it is overridden all samples run, without an early stop, and it is called in a thread. Where time is
        up before it returns, the earliest sample is the result.

        Args:
            candidates_tasks: the tasks of each sample that succeeded.
            options: the request's `majority_vote_kwargs`.

        Returns:
            The index of the winning sample in `candidates_tasks`, and its answer.
        """
        extractor = extractor_for(candidates_tasks[0][0], self.answers)
        classes = self.answers.equivalence.classes()
        readings = [extractor.read(tasks[0].message()) for tasks in candidates_tasks]
        choices = {index: _choice(reading, classes) for index, reading in enumerate(readings)}
        best = winner(choices)
        index = next((index for index, choice in choices.items() if choice == best), 0)
        return index, readings[index].answer

    def _only_sample(
        self, tasks: list[GenerationTask], options: Mapping[str, object], answers: Answers, trusting: bool
    ) -> Steps[ScaffoldingOutput]:
        """A vote of one needs no race."""
        output = yield from self.generation_controller.process(tasks, **options)
        candidate = Candidate(0, tasks[0].said, usage=tasks[0].usage)
        if isinstance(output, ScaffoldingOutput):
            candidate.message = output.message
        else:
            output = ScaffoldingOutput.of(candidate, method="")
        whole = output.finish_reason != "cancelled"
        if whole and (output.answer is None or not trusting):
            yield from answered(output, extractor_for(tasks[0], answers))
        candidate.answer, candidate.read_as, candidate.score = output.answer, output.read_as, output.score
        candidate.votes = 0 if output.answer is None and candidate.read_as != REFUSAL else 1
        output.votes = {wording(candidate): 1} if candidate.votes else {}
        output.candidates, output.agreement = [candidate], float(candidate.votes)
        output.method = type(self).__name__
        return output

    def _own_choice(self, samples: Samples, options: Mapping[str, object]) -> Steps[Candidate]:
        succeeded = samples.succeeded()
        tasks = [samples.tasks[candidate.index] for candidate in succeeded]
        try:
            index, answer = yield from in_thread(lambda given: self.majority_vote(given, **options), tasks)
        except BudgetExceededError as error:
            samples.out_of_budget(error)
            return succeeded[0]
        chosen = succeeded[index]
        chosen.answer = answer
        return chosen


def _choice(reading: Reading, classes: Classes) -> int | None:
    if reading.answer is not None:
        return classes.assign(reading.answer)
    return REFUSED if reading.refused else None


def _winner(samples: Samples, votes: list[list[Candidate]]) -> Candidate:
    """The sample that represents the class that won; with no answer at all, the earliest sample."""
    return votes[0][0] if votes else samples.succeeded()[0]
