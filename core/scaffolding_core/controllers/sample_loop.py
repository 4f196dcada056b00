"""The one loop of every method that draws samples and looks at each."""

from __future__ import annotations

from typing import Protocol

from scaffolding_core.controller import Steps
from scaffolding_core.controllers.samples import Samples
from scaffolding_core.errors import BudgetExceededError
from scaffolding_core.results import Candidate

__all__ = ["Look", "all_drawn", "drawn"]


class Look(Protocol):
    """How a method looks at its samples."""

    @property
    def ahead(self) -> int | None:
        """How many samples may run and not be looked at yet; None for all."""

    def at(self, candidate: Candidate) -> bool | Steps[bool]:
        """Look at a sample that ended, also one that failed.

        Returns:
            Whether the rest is not needed; as steps where finding out takes a task.
        """


def drawn(samples: Samples, look: Look) -> Steps[None]:
    """Run samples and look at each that ends, until the rest is not needed or no more come.

    What still runs then is left to `Samples.concluded`, so that the choice is told before the cut.

    Raises:
        InsufficientSamplesError: too few are left that could succeed.
    """
    race = samples.race
    race.ahead = look.ahead
    try:
        while (outcome := (yield race)) is not None:
            candidate = samples.take(outcome)
            decided = look.at(candidate)
            if not isinstance(decided, bool):
                decided = yield from decided
            race.tell(candidate)
            if decided:
                samples.stopped = "decided"
                return
            if samples.stopped == "complete":
                race.ahead = look.ahead
    except BudgetExceededError as error:
        samples.out_of_budget(error)


def all_drawn(samples: Samples) -> Steps[None]:
    """Run samples until all are there.

    Raises:
        InsufficientSamplesError: too few are left that could succeed.
    """
    samples.race.all_needed = True
    yield from drawn(samples, _All())


class _All:
    ahead: int | None = None

    def at(self, candidate: Candidate) -> bool:
        return False
