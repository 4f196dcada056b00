"""Exploration: a tree search under way, for one request."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator

from scaffolding_core.answers import Answers
from scaffolding_core.controller import Outcome, Race, Steps
from scaffolding_core.controllers.searching.ideas import Finder, Idea, Place
from scaffolding_core.controllers.searching.prompts import steps_in
from scaffolding_core.controllers.votes import counted, tell_votes
from scaffolding_core.errors import BudgetExceededError, InsufficientSamplesError, ScaffoldingError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.results import Candidate, DecisionEvent, ScaffoldingOutput, Stopped
from scaffolding_core.search import Lats, Node, TreeSearch, Trial
from scaffolding_core.tasks import GenerationTask

__all__ = ["Exploration"]


class Exploration:
    """Runs the trials of a search as branches of one race, and tells it of each as it ends.

    Args:
        search: asked and told; it is this one's own.
        task: that is answered.
        finder: finds the ideas of a trial.
        width: trials at once; None for all that the search has.
        max_samples: samples in all.
        enough: the score of an answer that ends the search; None for none.

    Attributes:
        asked: the task.
        candidates: all that was found, and what failed, in the order in which it ended.
        stopped: why no more came.
    """

    def __init__(
        self,
        search: TreeSearch,
        task: GenerationTask,
        finder: Finder,
        *,
        width: int | None,
        max_samples: int,
        enough: float | None,
    ) -> None:
        self.search = search
        self.asked = task
        self.candidates: dict[int, Candidate] = {}
        self.stopped: Stopped = "complete"
        self._finder = finder
        self._width = sys.maxsize if width is None else width
        self._left = max_samples
        self._enough = enough
        self._begun: list[Trial] = []
        self._waiting: deque[Steps[list[Idea]]] = deque()
        self._race = Race(self._branches(), ahead=0, failures="values")
        self._by_node: dict[int, Candidate] = {}
        self._failures: list[BaseException] = []
        self._end_of_budget: BudgetExceededError | None = None

    def run(self) -> Steps[None]:
        """Search until it is done, an answer is enough, or nothing more may be spent.

        Raises:
            ScaffoldingError: that of the first trials, where every other would meet it.
        """
        try:
            while True:
                self._ask()
                if not self.search.running:
                    return
                self._race.ahead = len(self.search.running)
                yield from self._told((yield self._race))
                if self.stopped == "decided":
                    return
        except BudgetExceededError as error:
            self.out_of_budget(error)

    def out_of_budget(self, error: BudgetExceededError) -> None:
        """Begin no more trials; what runs may still end."""
        self.stopped = "budget"
        self._end_of_budget = error

    def concluded(self, answers: Answers, method: str) -> Steps[ScaffoldingOutput]:
        """End with the best path: cut what still runs, and give the task its results.

        Args:
            answers: what the ends of paths answer with.
            method: name of the method's class.

        Raises:
            InsufficientSamplesError: no step was found.
            BudgetExceededError: budget or deadline ran out before any was.
        """
        best = self.search.best()
        if best is None:
            raise self._nothing_found()
        chosen = self._candidate_of(best)
        ends = [each for node, each in self._by_node.items() if self.search.nodes[node].terminal]
        yield DecisionEvent((), chosen, self.stopped)
        if self.search.running:
            for outcome in (yield self._race.cancel()):
                yield from self._told(outcome, late=True)
        samples = [each.votes for each in ends]
        votes = yield from counted(ends, answers, self)
        winner = self.asked.copy()
        winner.said = chosen.message
        self.asked.take_results(winner)
        output = ScaffoldingOutput.of(chosen, method=method)
        output.candidates, output.stopped = [*self.candidates.values()], self.stopped
        if votes:
            tell_votes(output, chosen, votes)
        for each, count in zip(ends, samples, strict=True):  # a step's votes are of the samples that said it
            each.votes = count
        output.data = {
            "steps": self.search.path(best.id),
            "nodes": len(self.search.nodes) - 1,
            "search": self.search,
        }
        return output

    def _branches(self) -> Iterator[Steps[list[Idea]]]:
        while True:  # the race never draws more than wait
            yield self._waiting.popleft()

    def _ask(self) -> None:
        """Ask for as many trials as may run."""
        if self.stopped == "budget":
            return
        while self._left > 0 and len(self.search.running) < self._width:
            trials = self.search.ask()
            if not trials:
                return
            samples = min(self._left, self._finder.samples)
            self._left -= samples
            self._begun += trials
            self._waiting.append(self._finder.found(self._place(trials[0], samples)))

    def _place(self, trial: Trial, samples: int) -> Place:
        search = self.search
        node, at = search.nodes[trial.node], self._by_node.get(trial.node)
        return Place(
            path=search.path(node.id),
            number=trial.id,
            samples=samples,
            last=node.depth + 1 >= search.nodes[search.root].depth + search.max_depth,
            lessons=tuple(search.lessons) if isinstance(search, Lats) else (),
            before=None if node.id == search.root else self._candidate_of(node).message,
            judgement=None if at is None else at.judgement,
        )

    def _told(self, outcome: Outcome, *, late: bool = False) -> list[Candidate]:
        """Tell the search of a trial that ended; what came of it."""
        trial = self._begun[outcome.index]
        ideas: list[Idea] = outcome.value
        if outcome.error is not None or outcome.cut:
            ideas = [Idea(error=outcome.error, cut=outcome.cut, usage=outcome.usage)]
        if all(_unfinished(idea) for idea in ideas):
            self.search.give_back(trial)
        judged = [idea for idea in ideas if idea.judgement is not None]
        nodes = iter(self.search.tell(trial, [idea.thought() for idea in judged]))
        told = []
        for idea in ideas:
            candidate = self._candidate(idea, late=late)
            if idea.judgement is not None:
                self._by_node[next(nodes).id] = candidate
            if isinstance(self.search, Lats):
                self.search.learn(idea.lesson)
            if not late:
                self._look_at(idea)
            if _began(idea):
                told.append(candidate)
                self.candidates[candidate.index] = candidate
        self._meet_all()
        return told

    def _candidate(self, idea: Idea, *, late: bool) -> Candidate:
        said = idea.message if idea.step else None
        return Candidate(
            len(self.candidates),
            said,
            score=None if idea.judgement is None else idea.judgement.score,
            judgement=idea.judgement,
            votes=idea.count,
            usage=idea.usage,
            error=idea.error,
            cut=idea.cut,
            late=late and not idea.cut,
        )

    def _candidate_of(self, node: Node) -> Candidate:
        """What was found there; of a tree that was given, its path."""
        known = self._by_node.get(node.id)
        return known or Candidate(-1, AssistantMessage(steps_in(self.search.path(node.id))), score=node.value)

    def _look_at(self, idea: Idea) -> None:
        """Decide whether more is needed."""
        error, judgement = idea.error, idea.judgement
        if judgement is not None:
            enough = self._enough is not None and judgement.score >= self._enough
            if idea.passed or (idea.final and enough):
                self.stopped = "decided"
        elif isinstance(error, BudgetExceededError):
            self.out_of_budget(error)
        elif error is not None:
            self._failures.append(error)

    def _meet_all(self) -> None:
        """Raise what every other trial would meet too, where none has found anything.

        Raises:
            ScaffoldingError: that one.
        """
        if self._by_node or len(self.search.nodes) > 1 or not self._failures:
            return
        last = self._failures[-1]
        if isinstance(last, ScaffoldingError) and last.recurs is not None:
            raise last

    def _nothing_found(self) -> BaseException:
        if self._end_of_budget is not None:
            return self._end_of_budget
        last = f"; the last error: {self._failures[-1]}" if self._failures else ""
        return InsufficientSamplesError(f"the search found no step{last}", self._failures)


def _unfinished(idea: Idea) -> bool:
    """Whether nobody knows yet what it is worth, or whether it is there at all."""
    return idea.judgement is None and (idea.cut or isinstance(idea.error, BudgetExceededError))


def _began(idea: Idea) -> bool:
    """Whether anything was paid for it."""
    return idea.usage is not None or not _unfinished(idea)
