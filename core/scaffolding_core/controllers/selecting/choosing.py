"""Choosing: a judge is shown several answers at once, and names one; base of the methods that do so."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import ClassVar

from scaffolding_core.controller import Steps
from scaffolding_core.controllers.judging.choice_judge import ChoiceJudge
from scaffolding_core.controllers.selecting.selection import SelectionController, Standing
from scaffolding_core.tasks import RewardTask

__all__ = ["ChoosingController"]


class ChoosingController(SelectionController):
    """A judge names one of each group of answers, and those that it names meet again, until one is left.

    The score of an answer is the last round in which it was named. Of a group of which none is named the one goes
    on that most samples answer as, the earliest of equals.

    Attributes:
        judge: names one of a group.
        window: answers in a group at most; None for all in one.
    """

    stateless: ClassVar[bool] = True

    judge: ChoiceJudge
    window: int | None = None

    def select(self, contenders: Sequence[RewardTask], votes: Sequence[int], standing: Standing) -> Steps[None]:
        """Name one of each group, until one is left; all groups of a round at the same time."""
        left, round_number = list(range(len(contenders))), 0
        while len(left) > 1:
            round_number += 1
            groups = _groups(left, self.window or len(left))
            named = [max(group, key=lambda place: (votes[place], -place)) for group in groups]
            yield from self._name(groups, contenders, named, standing, round_number)
            left = named

    def _name(
        self,
        groups: Sequence[Sequence[int]],
        contenders: Sequence[RewardTask],
        named: list[int],
        standing: Standing,
        round_number: int,
    ) -> Steps[None]:
        """Let one of each group be named in place of the one that is."""
        asked = [number for number, group in enumerate(groups) if len(group) > 1]

        def take(index: int, choice: int) -> None:
            number = asked[index]
            named[number] = groups[number][choice]
            standing.scores[named[number]] = round_number

        questions = [self.judge.choice([contenders[place] for place in groups[number]]) for number in asked]
        yield from standing.ask(questions, take)


def _groups(places: list[int], most: int) -> list[list[int]]:
    """The places, in order, in as few groups as may be, about as large as one another."""
    count = -(-len(places) // most)
    bounds = [len(places) * number // count for number in range(count + 1)]
    return [places[begin:end] for begin, end in itertools.pairwise(bounds)]
