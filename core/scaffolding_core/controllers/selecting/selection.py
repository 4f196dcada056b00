"""Selection: samples are drawn, and a judge selects one of them; base of the methods that do so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from scaffolding_core.answers import REFUSAL, Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.asking import Asking
from scaffolding_core.controllers.judging.exhibits import answer_text
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.controllers.sample_loop import all_drawn
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.controllers.votes import counted, tell_votes
from scaffolding_core.errors import BudgetExceededError, ControllerError
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask, RewardTask

__all__ = ["SelectionController", "Standing"]


@dataclass(slots=True)
class Standing(Asking):
    """What a judge has said of the contenders so far.

    Attributes:
        seed: of the request, for what is left to chance.
        scores: of contenders by their places, higher is better; empty while nothing is known.
    """

    seed: int | None = None
    scores: dict[int, float] = field(default_factory=dict)


class SelectionController(Controller):
    """Samples N answers, and lets a judge select one; a kind of it overrides `select`.

    Args:
        generation_controller: the method that samples.
        default_sample_num: N, unless a request says `sample_num`.
        answers: the kind of answer; see `Answers`.
        min_samples: how many samples must succeed.

    Attributes:
        shows_each: whether the judge is shown answers of the same text more than once.
    """

    stateless: ClassVar[bool] = True
    shows_each: ClassVar[bool] = False

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 4,
        *,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.answers = Answers.of(answers)
        self.min_samples = checked_sample_num(min_samples, 1)

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Sample, select, and give the tasks the results of the selected sample.

        Raises:
            InsufficientSamplesError: fewer than `min_samples` succeeded.
            BudgetExceededError: budget or deadline ran out before any sample was there.
            WorkerError: the judge met what it would meet with every answer, such as a key that is refused.
        """
        n = checked_sample_num(sample_num, self.default_sample_num)
        samples = Samples.of_method(
            self.generation_controller, tasks, n, generation_kwargs or {}, min_samples=self.min_samples
        )
        yield from all_drawn(samples)
        succeeded = samples.succeeded()
        for candidate in succeeded:
            candidate.score = candidate.judgement = None  # one of a method inside is none of the judge's
        votes = yield from counted(succeeded, self.answers if answers is None else Answers.of(answers), samples)
        chosen = votes[0][0] if votes else succeeded[0]
        standing = Standing(samples.asked.seed)
        if chosen.read_as != REFUSAL:
            places = self._places(_contenders(votes) or succeeded)
            yield from self._judge(samples, places, standing)
            for place, score in standing.scores.items():
                for candidate in places[place]:
                    candidate.score = score
            if standing.scores:
                chosen = places[max(standing.scores, key=lambda place: (standing.scores[place], -place))][0]
        output = yield from samples.concluded(tasks, chosen, type(self).__name__)
        tell_votes(output, chosen, votes)
        by = "judge" if standing.scores else "vote"
        output.data = {"by": by, "judged": standing.judged, "failed": standing.failed}
        return output

    def select(self, contenders: Sequence[RewardTask], votes: Sequence[int], standing: Standing) -> Steps[None]:
        """Ask the judge, if there are two or more to choose from; the standing's scores count at any time.

        Args:
            contenders: answers to one prompt.
            votes: how many samples answer as each does.
            standing: to ask through, and to fill.
        """
        raise ControllerError(f"{type(self).__name__} must override select()")

    def _judge(self, samples: Samples, places: Sequence[Sequence[Candidate]], standing: Standing) -> Steps[None]:
        contenders = [samples.to_judge(candidates[0]) for candidates in places]
        votes = [max(candidates[0].votes, len(candidates)) for candidates in places]
        try:
            yield from self.select(contenders, votes, standing)
        except BudgetExceededError as error:
            samples.out_of_budget(error)

    def _places(self, candidates: Sequence[Candidate]) -> list[list[Candidate]]:
        """The candidates that stand for each place, the earliest first."""
        if self.shows_each:
            same = len({_worded(candidate) for candidate in candidates}) == 1
            return [list(candidates)] if same else [[candidate] for candidate in candidates]
        places: dict[str, list[Candidate]] = {}
        for candidate in candidates:
            places.setdefault(_worded(candidate), []).append(candidate)
        return list(places.values())


def _contenders(votes: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """Those that have an answer, by index."""
    voters = [voter for each in votes for voter in each if voter.read_as != REFUSAL]
    return sorted(voters, key=lambda voter: voter.index)


def _worded(candidate: Candidate) -> str:
    return answer_text(candidate.message, thoughts=False)
