"""Selection: which of its samples a method takes, by vote, or by a reward where it has one."""

from __future__ import annotations

from collections.abc import Sequence

from scaffolding_core.answers import REFUSAL, Answers
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.judging.once import JudgedOnce
from scaffolding_core.controllers.samples import Samples
from scaffolding_core.controllers.sampling.poll import Voting
from scaffolding_core.controllers.scoring import judged
from scaffolding_core.controllers.votes import by_class, vote_output
from scaffolding_core.errors import BudgetExceededError, WorkerError
from scaffolding_core.results import Candidate, Judgement, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.voting import Ballot, Full, Lossless

__all__ = ["Selection"]


class Selection:
    """Looks at samples as they end, until one is chosen.

    The answer given most often wins, or the sample with the highest reward where there is one; a sample that wants
    tools called wins at once, whole. Without any answer, or any score, it is the first sample, or the last.

    Args:
        samples: to choose from.
        answers: what they answer with.
        trusting: an answer that a sample's own method found counts as it is.
        votes: how many samples vote.
        all_needed: all are drawn, and not only those that may change the vote; with a reward they are.
        rewarder: scores samples; None for a vote.
        ahead: how many may run and not be looked at yet; None for all.
        latest: of equals the latest sample wins, and not the earliest.

    Attributes:
        calling: the sample that wants tools called, if there is one.
    """

    def __init__(
        self,
        samples: Samples,
        answers: Answers,
        *,
        trusting: bool,
        votes: int,
        all_needed: bool = False,
        rewarder: Controller | None = None,
        ahead: int | None = None,
        latest: bool = False,
    ) -> None:
        self.samples = samples
        self.ahead = ahead
        self.calling: Candidate | None = None
        every = all_needed or rewarder is not None
        self._ballot = Ballot(Full() if every else Lossless(), votes)
        extractor, classes = extractor_for(samples.asked, answers), answers.equivalence.classes()
        self._voting = Voting(samples, self._ballot, classes, extractor, trusting)
        self._rewarder = rewarder
        self._once = None if rewarder is None or _compares(rewarder) else JudgedOnce(rewarder)
        self._latest = latest

    def at(self, candidate: Candidate) -> bool | Steps[bool]:
        """Look at a sample that ended; whether the rest is not needed."""
        if candidate.error is None and candidate.tool_calls:
            self.calling = candidate
            return True
        return self._voting.at(candidate)

    def scored(self, task: GenerationTask, steps: Steps[ScaffoldingOutput]) -> Steps[ScaffoldingOutput]:
        """What a sample's own steps return, with its score where it has one by itself.

        Args:
            task: of the sample; it has its results once the steps have ended.
            steps: run the sample.
        """
        output = yield from steps
        if self._once is None or output.message.tool_calls or output.stopped == "budget":
            return output
        try:
            output.judgement = judgement = yield from self._once.judge(task)
        except BudgetExceededError:
            output.stopped = "budget"
            return output
        output.score = None if judgement is None else judgement.score
        return output

    def concluded(
        self, tasks: Sequence[GenerationTask], method: str, chosen: Candidate | None = None
    ) -> Steps[ScaffoldingOutput]:
        """End with the sample that wins, and give the tasks its results.

        Args:
            tasks: get its results.
            method: name of the method's class.
            chosen: what its method has chosen; None to choose here.
        """
        samples, there = self.samples, set(self.samples.candidates)
        if self._rewarder is not None and self.calling is None:
            yield from self._score_left(self._rewarder)
        votes = by_class(samples.candidates, self._ballot.votes())
        chosen = self.calling or chosen or self._best_scored() or self._most_voted(votes)
        output = yield from vote_output(samples, tasks, chosen, votes, there, method)
        if self.calling is not None:
            output.agreement = None
        return output

    def _score_left(self, rewarder: Controller) -> Steps[None]:
        """Score those without a score: all, by a reward that compares samples, else those that say the same."""
        candidates = [each for each in self.samples.succeeded() if each.score is None]
        tasks = [self.samples.tasks[candidate.index][0] for candidate in candidates]
        judgements: Sequence[Judgement | WorkerError | None]
        if self._once is not None:
            judgements = [self._once.known(task) for task in tasks]
        else:
            try:
                judgements = yield from judged(rewarder, tasks)
            except BudgetExceededError as error:
                self.samples.out_of_budget(error)
                return
        for candidate, judgement in zip(candidates, judgements, strict=True):
            if isinstance(judgement, WorkerError):
                candidate.error = judgement
            elif judgement is not None:
                candidate.judgement, candidate.score = judgement, judgement.score

    def _best_scored(self) -> Candidate | None:
        scored = [each for each in self._in_order() if each.score is not None]
        return max(scored, key=lambda each: each.score or 0.0, default=None)

    def _most_voted(self, votes: Sequence[list[Candidate]]) -> Candidate:
        """The sample that represents the class that won; with no answer at all, the first there is."""
        if votes and votes[0][0].read_as == REFUSAL:  # of as many answers the refusals win
            return votes[0][0]
        most = [voters for voters in votes if len(voters) == len(votes[0])]
        voted = {id(voter): voters for voters in most for voter in voters}
        return next((voted[id(each)][0] for each in self._in_order() if id(each) in voted), self._in_order()[0])

    def _in_order(self) -> list[Candidate]:
        """The samples that did not fail, the one first that wins of equals."""
        succeeded = self.samples.succeeded()
        return succeeded[::-1] if self._latest else succeeded


def _compares(rewarder: Controller) -> bool:
    return bool(getattr(rewarder, "compares_samples", False))
