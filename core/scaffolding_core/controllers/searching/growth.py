"""Growth: a search over the steps of one answer under way, for one request."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from scaffolding_core.controller import Outcome, Race, Steps
from scaffolding_core.controllers.judging.once import JudgedOnce
from scaffolding_core.controllers.searching.step_writer import Partial, StepWriter
from scaffolding_core.errors import BudgetExceededError, InsufficientSamplesError, ScaffoldingError, WorkerError
from scaffolding_core.results import Candidate, Judgement, Stopped
from scaffolding_core.results.step_scores import aggregate_steps
from scaffolding_core.search import Node, StepSearch, Thought, Trial
from scaffolding_core.tasks import GenerationTask

__all__ = ["Growth"]


class _Grown(NamedTuple):
    """A partial answer, and what its score rests on."""

    partial: Partial
    judged: GenerationTask
    judgement: Judgement | None


@dataclass(slots=True, eq=False)
class _Expansion:
    """A trial that runs."""

    trial: Trial
    grown: dict[int, _Grown] = field(default_factory=dict)
    running: int = 0


class Growth:
    """Draws the steps that a search asks for, all at the same time, and tells it what each is worth.

    Args:
        search: asked and told; it is this one's own.
        task: that is answered.
        writer: writes steps.
        once: judges partial answers, equal ones once.
        aggregate: what makes one score of several steps'.
        lookahead: steps that are written behind one before it is judged.

    Attributes:
        asked: the task.
        candidates: the answers that ended, and the steps that failed, in the order in which they did.
        failures: why steps failed.
        stopped: why no more came.
    """

    def __init__(
        self,
        search: StepSearch,
        task: GenerationTask,
        writer: StepWriter,
        once: JudgedOnce,
        *,
        aggregate: str,
        lookahead: int,
    ) -> None:
        self.asked = task
        self.candidates: dict[int, Candidate] = {}
        self.failures: list[BaseException] = []
        self.stopped: Stopped = "complete"
        self._search, self._writer, self._once = search, writer, once
        self._aggregate, self._lookahead = aggregate, lookahead
        self._partials = {search.root: Partial()}
        self._of_node: dict[int, Candidate] = {}
        self._judgements: dict[int, Judgement] = {}
        self._expansions: list[_Expansion] = []
        self._waiting: deque[tuple[_Expansion, int]] = deque()
        self._begun: list[tuple[_Expansion, int]] = []
        self._race = Race(self._branches(), ahead=0, failures="values", all_needed=True)
        self._end_of_budget: BudgetExceededError | None = None

    def run(self) -> Steps[None]:
        """Search until it is done, or nothing more may be spent.

        Raises:
            ScaffoldingError: that of the first steps, where every other would meet it.
        """
        try:
            while True:
                self._ask()
                self._race.ahead = sum(expansion.running for expansion in self._expansions)
                if not self._race.ahead:
                    return
                self._take((yield self._race))
                yield from self._settled()
        except BudgetExceededError as error:
            self.out_of_budget(error)

    def out_of_budget(self, error: BudgetExceededError) -> None:
        """Begin no more steps; what runs may still end."""
        self.stopped, self._end_of_budget = "budget", error

    def finished(self) -> list[Candidate]:
        """The answers that have ended, as often as the search has them; those that the model ended, if any.

        Where there is none, the best that was begun.

        Raises:
            InsufficientSamplesError: there is none at all.
            BudgetExceededError: budget or deadline ran out before there was any.
        """
        search = self._search
        nodes = [search.nodes[node] for node in search.finished]
        nodes = [node for node in nodes if node.terminal] or nodes
        if nodes:
            return [self._of_node[node.id] for node in nodes]
        best = search.best()
        if best is None:
            raise self._nothing_found()
        return [self._candidate(best, "cancelled" if self.stopped == "budget" else "length")]

    def steps_of(self, candidate: Candidate) -> Sequence[str]:
        """The steps of an answer."""
        return next(self._partials[node].steps for node, each in self._of_node.items() if each is candidate)

    def _branches(self) -> Iterator[Steps[_Grown]]:
        while True:  # the race never draws more than wait
            expansion, sample = self._waiting.popleft()
            self._begun.append((expansion, sample))
            yield self._grown(expansion, sample)

    def _ask(self) -> None:
        if self.stopped == "budget":
            return
        for trial in self._search.ask(sys.maxsize):
            expansion = _Expansion(trial, running=self._search.samples(trial))
            self._expansions.append(expansion)
            self._waiting.extend((expansion, sample) for sample in range(expansion.running))

    def _grown(self, expansion: _Expansion, sample: int) -> Steps[_Grown]:
        before, place = self._partials[expansion.trial.node], (expansion.trial.id, sample)
        partial = yield from self._writer.step(before, place, group=expansion)
        ahead = partial
        for _ in range(self._lookahead):
            if not ahead.ended:
                ahead = yield from self._writer.step(ahead, place, greedy=True)
        judged = self._writer.answer(ahead)
        return _Grown(partial, judged, (yield from self._once.judge(judged)))

    def _take(self, outcome: Outcome) -> None:
        expansion, sample = self._begun[outcome.index]
        expansion.running -= 1
        if outcome.error is not None:
            self._fail(outcome.error, outcome)
        else:
            expansion.grown[sample] = outcome.value

    def _settled(self) -> Iterator[Candidate]:
        """Tell the search of each trial whose steps are all there and judged; the answers that have ended so."""
        for expansion in list(self._expansions):
            if expansion.running or any(self._is_awaited(grown) for grown in expansion.grown.values()):
                continue
            self._expansions.remove(expansion)
            yield from self._told(expansion)

    def _is_awaited(self, grown: _Grown) -> bool:
        """Whether the same partial answer is still being judged for another step."""
        return grown.judgement is None and self._once.is_judging(grown.judged)

    def _told(self, expansion: _Expansion) -> Iterator[Candidate]:
        kept: list[tuple[Partial, Judgement, Thought]] = []
        for sample in sorted(expansion.grown):
            partial, judged, judgement = expansion.grown[sample]
            try:
                judgement = judgement or self._judgement(judged)
                value = self._value(judgement)
            except WorkerError as error:
                self._fail(error)
                continue
            kept.append((partial, judgement, Thought(partial.steps[-1], value, partial.ended)))
        nodes = self._search.tell(expansion.trial, [thought for _, _, thought in kept])
        for node, (partial, judgement, _) in zip(nodes, kept, strict=True):
            self._partials[node.id], self._judgements[node.id] = partial, judgement
            if self._search.ends(node):
                yield self._candidate(node, partial.finish_reason if node.terminal else "length")

    def _judgement(self, judged: GenerationTask) -> Judgement:
        known = self._once.known(judged)
        if known is None:
            raise WorkerError("the reward failed for the same partial answer of another step")
        return known

    def _value(self, judgement: Judgement) -> float:
        if judgement.step_scores:
            return aggregate_steps(judgement.step_scores, self._aggregate)
        return judgement.score

    def _candidate(self, node: Node, finish_reason: str | None) -> Candidate:
        candidate = Candidate(
            len(self.candidates),
            self._partials[node.id].message(finish_reason),
            score=node.value,
            judgement=self._judgements[node.id],
        )
        self.candidates[candidate.index] = self._of_node[node.id] = candidate
        return candidate

    def _fail(self, error: BaseException, outcome: Outcome | None = None) -> None:
        if isinstance(error, BudgetExceededError):
            self.out_of_budget(error)
            return
        if len(self._partials) == 1 and isinstance(error, ScaffoldingError) and error.recurs is not None:
            raise error  # every other step would meet it
        self.failures.append(error)
        usage = None if outcome is None else outcome.usage
        index = len(self.candidates)
        self.candidates[index] = Candidate(index, error=error, usage=usage)

    def _nothing_found(self) -> BaseException:
        if self._end_of_budget is not None:
            return self._end_of_budget
        first = f"; the first error: {self.failures[0]}" if self.failures else ""
        return InsufficientSamplesError(
            f"none of {len(self.failures)} first steps succeeded{first}", self.failures
        )
