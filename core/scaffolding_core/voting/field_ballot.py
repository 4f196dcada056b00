"""FieldBallot: a vote on each field of a structure by itself."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolding_core.voting.ballot import Ballot
from scaffolding_core.voting.stop_rule import StopRule

__all__ = ["ABSENT", "FieldBallot"]

ABSENT = -1
"""The class of structures without a field: to leave it out is a vote, or no field could ever be settled."""


class FieldBallot:
    """One ballot a field; it is decided when all of them are.

    Args:
        rule: when the vote on a field may stop.
        n: samples at most.
        run_ahead: as for `Ballot`.

    Raises:
        InvalidRequestError: as `Ballot` does.
    """

    def __init__(self, rule: StopRule, n: int, run_ahead: float | None = None) -> None:
        self._ballots: dict[str, Ballot] = {}
        self._rule, self._n, self._run_ahead = rule, n, run_ahead
        self._unknown = Ballot(rule, n, run_ahead)  # stands for every field that no sample has had yet

    def see(self, index: int, choice: Mapping[str, int] | None) -> None:
        """Count a sample that ended; its choice is the class of each field, None if it has no structure."""
        for name in choice or ():
            if name not in self._ballots:
                self._ballots[name] = self._late()
        for name, ballot in self._ballots.items():
            ballot.see(index, None if choice is None else choice.get(name, ABSENT))
        self._unknown.see(index, None if choice is None else ABSENT)

    def refuse(self, index: int) -> None:
        """Count a sample that declines to answer: it is a vote on every field."""
        for ballot in self._all():
            ballot.refuse(index)

    @property
    def decided(self) -> bool:
        """Whether the rest is not needed for any field, nor for one that no sample has had yet."""
        return all(ballot.decided for ballot in self._all())

    @property
    def ahead(self) -> int:
        """How many samples may run and not be counted yet: as many as the least settled field needs."""
        return max(ballot.ahead for ballot in self._all())

    def count_all(self) -> None:
        """Let every sample vote that is there, whatever the order: time is up."""
        for ballot in self._all():
            ballot.count_all()

    def votes(self) -> dict[str, dict[int, int | None]]:
        """The choices of the samples that count, by field and by index."""
        return {name: ballot.votes() for name, ballot in self._ballots.items()}

    def whole(self) -> dict[int, int | None]:
        """The choices of the samples that count between a structure, whatever its fields, and `REFUSED`."""
        return self._unknown.votes()

    def counted(self) -> set[int]:
        """The samples that count for any field, by index."""
        return set(self._unknown.votes()).union(*self.votes().values())

    def winner(self) -> dict[str, int]:
        """The class that won of each field that won a place."""
        winners = {name: ballot.winner() for name, ballot in self._ballots.items()}
        return {name: choice for name, choice in winners.items() if choice is not None and choice >= 0}

    def _all(self) -> list[Ballot]:
        return [*self._ballots.values(), self._unknown]

    def _late(self) -> Ballot:
        """A ballot for a field that the samples so far did not have."""
        ballot = Ballot(self._rule, self._n, self._run_ahead)
        for index, choice in self._unknown.seen().items():
            ballot.see(index, choice)
        return ballot
