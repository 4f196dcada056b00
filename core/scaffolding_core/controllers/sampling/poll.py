"""Poll: samples run, and each that ends votes, until the vote is decided."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from scaffolding_core.answers import REFUSAL, Extractor
from scaffolding_core.controller import Steps
from scaffolding_core.controllers.answering import Sorting, compared, is_long
from scaffolding_core.controllers.sample_loop import drawn
from scaffolding_core.controllers.samples import Samples
from scaffolding_core.errors import BudgetExceededError
from scaffolding_core.results import Candidate

__all__ = ["Counting", "Voting", "poll"]

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
    yield from drawn(samples, Voting(samples, ballot, classes, extractor, trusting))
    if samples.stopped == "budget":
        ballot.count_all()


class Voting(Generic[Choice]):
    """Lets each sample vote that ends; see `poll`."""

    def __init__(
        self,
        samples: Samples,
        ballot: Counting[Choice],
        classes: Sorting[Choice],
        extractor: Extractor,
        trusting: bool,
    ) -> None:
        self._samples, self._ballot, self._classes, self._extractor = samples, ballot, classes, extractor
        self._trusting = trusting
        self._costly = extractor.costly or classes.costly
        self._in_time = True
        self.ahead = ballot.ahead

    def at(self, candidate: Candidate) -> bool | Steps[bool]:
        """Let a sample vote; whether that decides it."""
        message = candidate.message
        if candidate.error is not None or message.finish_reason == "cancelled" or not self._in_time:
            return self._count(candidate, None)  # a part of a text has no answer
        if self._costly or is_long(message):
            return self._at_length(candidate)
        if candidate.answer is None or not self._trusting:
            candidate.answer, candidate.read_as = self._extractor.read(message)
        answer = candidate.answer
        return self._count(candidate, None if answer is None else self._classes.assign(answer))

    def _at_length(self, candidate: Candidate) -> Steps[bool]:
        choice = None
        try:
            choice = yield from compared(self._extractor, self._classes, candidate, trusting=self._trusting)
        except BudgetExceededError as error:
            self._samples.out_of_budget(error)
            self._in_time = False
        return self._count(candidate, choice)

    def _count(self, candidate: Candidate, choice: Choice | None) -> bool:
        ballot = self._ballot
        if candidate.read_as == REFUSAL:
            ballot.refuse(candidate.index)
        else:
            ballot.see(candidate.index, choice)
        self.ahead = ballot.ahead
        return ballot.decided and self._in_time
