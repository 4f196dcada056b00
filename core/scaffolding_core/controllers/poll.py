"""Poll: samples run, and each that ends votes, until the vote is decided."""

from __future__ import annotations

from typing import Protocol, TypeVar

from scaffolding_core.answers import REFUSAL, Extractor
from scaffolding_core.controller import Steps
from scaffolding_core.controllers.answering import Sorting, compared, compared_at_once, is_long
from scaffolding_core.controllers.samples import Samples
from scaffolding_core.errors import BudgetExceededError

__all__ = ["Counting", "poll"]

Choice = TypeVar("Choice")
Choice_in = TypeVar("Choice_in", contravariant=True)


class Counting(Protocol[Choice_in]):
    """A `Ballot`, or one for a vote of another kind."""

    @property
    def decided(self) -> bool:
        """Whether the rest is not needed."""

    @property
    def ahead(self) -> int:
        """How many samples may run and not be counted yet."""

    def see(self, index: int, choice: Choice_in | None) -> None:
        """Count a sample that ended; one that failed, or has no answer, has no choice."""

    def refuse(self, index: int) -> None:
        """Count a sample that declines to answer."""

    def count_all(self) -> None:
        """Let every sample vote that is there, whatever the order: time is up."""


def poll(
    samples: Samples, ballot: Counting[Choice], classes: Sorting[Choice], extractor: Extractor, *, trusting: bool
) -> Steps[None]:
    """Run samples until the ballot is decided or no more come; what still runs then is left to the caller.

    Once time is up, those that are there and not compared yet abstain.

    Args:
        samples: to draw from.
        ballot: counts them.
        classes: what answers vote for.
        extractor: finds the answer of a sample.
        trusting: an answer that a sample's own method found counts as it is.
    """
    race = samples.race
    race.ahead = ballot.ahead
    costly, in_time = extractor.costly or classes.costly, True
    try:
        while (outcome := (yield race)) is not None:
            candidate = samples.take(outcome)
            choice = None
            if candidate.error is None and in_time:
                try:
                    if costly or is_long(candidate.message):
                        choice = yield from compared(extractor, classes, candidate, trusting=trusting)
                    else:
                        choice = compared_at_once(extractor, classes, candidate, trusting=trusting)
                except BudgetExceededError as error:
                    samples.out_of_budget(error)
                    in_time = False
            race.tell(candidate)
            if candidate.read_as == REFUSAL:
                ballot.refuse(candidate.index)
            else:
                ballot.see(candidate.index, choice)
            if ballot.decided and in_time:
                samples.stopped = "decided"
                break
            if samples.stopped == "complete":
                race.ahead = ballot.ahead
    except BudgetExceededError as error:
        samples.out_of_budget(error)
    if samples.stopped == "budget":
        ballot.count_all()
