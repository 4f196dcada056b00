"""Recursive self-aggregation: a population of answers, made anew, each out of some of those before."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.parts import checked_part, checked_template, checked_whole
from scaffolding_core.controllers.refining.asking import checked_question, generated, shown, told
from scaffolding_core.controllers.refining.selection import Selection
from scaffolding_core.controllers.sample_loop import drawn
from scaffolding_core.controllers.samples import Samples, checked_sample_num, derived_seed
from scaffolding_core.controllers.votes import counted
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["AGGREGATE", "RecursiveSelfAggregationController"]

AGGREGATE = (
    "Here are answers to that, any of which may be wrong, in part or as a whole:\n\n{answers}\n\nAnswer the "
    "question yourself, whole: take what is right in them, and if all are wrong, another way."
)


class RecursiveSelfAggregationController(Controller):
    """Makes n answers, then t times n new ones, each out of k that are drawn from the n before.

    An answer is asked for with the k others behind the question, without their thoughts. The answer given most
    often in the last population is the result. A call starts as soon as the k that it sees are there, whatever the
    rest of their population does; which k these are is drawn by the task's seed. One that fails costs itself
    alone, and the next in the draw stands in for it. One that wants tools called is handed on at once. What still
    runs when the last vote is decided is cut.

    Where time is up, or all of a population fail, the vote is in the population that has the most answers, or in
    the last that has any. All answers are candidates; the output's `data["populations"]` tells their indices.

    Cost: n(1 + t) generations, in 1 + t steps, with k answers in their prompts.

    Source: Venkatraman et al. 2025, arXiv 2509.26626, with n = 16, k = 4 and 10 populations; without its training.

    Args:
        generation_controller: the method that answers; give it a temperature above 0.
        default_sample_num: n, unless a request says `sample_num`.
        subset: k, the answers that one is made of; all, where n is less.
        rounds: t, unless a request says `rounds`.
        aggregate: what asks for an answer out of others, with `{answers}` where these go.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: a number of samples, or of a subset, below 1, fewer than no rounds, a template of
            something else, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 8,
        *,
        subset: int = 4,
        rounds: int = 3,
        aggregate: str = AGGREGATE,
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.subset = checked_whole("subset", subset, 1)
        self.rounds = checked_whole("rounds", rounds, 0)
        self.aggregate = checked_template("aggregate", aggregate, "answers")
        self.answers = Answers.of(answers)
        self._trusting = answers is None

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        rounds: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task, which keeps its prompt and gets the answer that won.

        Raises:
            InvalidRequestError: not one task, or one that asks nothing in words.
            InsufficientSamplesError: the whole first population failed.
            BudgetExceededError: budget or deadline ran out before there was any answer.
        """
        task, n = checked_question(tasks), checked_sample_num(sample_num, self.default_sample_num)
        rounds = self.rounds if rounds is None else checked_whole("rounds", rounds, 0)
        lineage = _Lineage(n, rounds, self.subset, task.seed or 0)

        def begin(sample: list[GenerationTask]) -> Steps[ScaffoldingOutput]:
            place, parents = lineage.next()
            asked = sample[0]
            if task.seed is not None:
                asked.seed = derived_seed(task.seed, place)
            if parents:
                asked = told(asked, self.aggregate.format(answers=shown(each.message for each in parents)))
            return generated(self.generation_controller, sample[0], asked, generation_kwargs or {})

        samples = Samples([task], n * (1 + rounds), begin)
        compared = self.answers if answers is None else Answers.of(answers)
        trusting = self._trusting and answers is None
        last = Selection(samples, compared, trusting=trusting, votes=n, latest=True)
        yield from drawn(samples, _Evolution(lineage, last))
        populations, chosen = lineage.populations(), None
        population = _fittest(populations, in_time=samples.stopped != "budget")
        if population is not populations[-1]:
            votes = yield from counted(population, compared, samples)
            chosen = votes[0][0] if votes else next(iter(population), None)
        output = yield from last.concluded(tasks, type(self).__name__, chosen)
        output.data = {"populations": [sorted(each.index for each in some) for some in populations]}
        return output


def _fittest(populations: Sequence[list[Candidate]], *, in_time: bool) -> list[Candidate]:
    """The last population that has answers; where time was up, the last of those that have most."""
    if in_time:
        return next(filter(None, reversed(populations)), [])
    return max(reversed(populations), key=len)


class _Lineage:
    """Which answers are made of which, by their places: those of the first population from 0, then of the next."""

    def __init__(self, n: int, rounds: int, subset: int, seed: int) -> None:
        self._n, self._subset, self._rounds = n, subset, rounds
        self._draws = {
            place: random.Random(derived_seed(seed, place)).sample(range(n), n)
            for place in range(n, n * (1 + rounds))
        }
        """For each place the answers before it, those first that it is to be made of."""
        self._waiting = list(self._draws)
        self._ready: deque[tuple[int, list[Candidate]]] = deque((place, []) for place in range(n))
        self._places: list[int] = []  # by index
        self._ended: dict[int, Candidate] = {}

    @property
    def ahead(self) -> int:
        """How many run, or could."""
        return len(self._places) - len(self._ended) + len(self._ready)

    def next(self) -> tuple[int, list[Candidate]]:
        """The place of the next answer that can be made, and what it is made of."""
        place, parents = self._ready.popleft()
        self._places.append(place)
        return place, parents

    def end(self, candidate: Candidate) -> bool:
        """Take an answer; whether it is of the last population."""
        place = self._places[candidate.index]
        self._ended[place] = candidate
        population = place // self._n
        for child in [each for each in self._waiting if each // self._n == population + 1]:
            if parents := self._parents(child):
                self._waiting.remove(child)
                self._ready.append((child, parents))
        return population == self._rounds

    def populations(self) -> list[list[Candidate]]:
        """The answers of each population that did not fail, by their places."""
        populations: list[list[Candidate]] = [[] for _ in range(self._rounds + 1)]
        for place, candidate in sorted(self._ended.items()):
            if candidate.error is None:
                populations[place // self._n].append(candidate)
        return populations

    def _parents(self, place: int) -> list[Candidate]:
        """What an answer is made of; nothing, while one of them is still to come."""
        before, parents = (place // self._n - 1) * self._n, list[Candidate]()
        for drawn_place in self._draws[place]:
            parent = self._ended.get(before + drawn_place)
            if parent is None:
                return []
            if parent.error is None:
                parents.append(parent)
            if len(parents) == self._subset:
                break
        return parents


@dataclass(frozen=True, slots=True)
class _Evolution:
    """Looks at answers until the vote in the last population is decided."""

    lineage: _Lineage
    last: Selection

    @property
    def ahead(self) -> int:
        return self.lineage.ahead

    def at(self, candidate: Candidate) -> bool | Steps[bool]:
        is_last = self.lineage.end(candidate)
        return self.last.at(candidate) if is_last or candidate.tool_calls else False
