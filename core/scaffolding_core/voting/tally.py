"""Tally: what a vote has seen so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["REFUSED", "Tally", "winner", "winner_of"]

REFUSED = -2
"""The class of samples that decline to answer: it wins where at least half of all that vote are in it."""


class Tally:
    """The choices of samples, one after another; a choice is the number of a class of equal answers.

    Two things are to be settled: whether to answer at all, and with which answer. So refusals are counted
    beside the answers, not among them.

    Attributes:
        choices: of each sample seen, in order; None for a sample without an answer.
        answers: samples with an answer.
        leader: the most votes that an answer has.
        runner_up: the most votes that another answer has.
        refusals: samples that decline to answer.
    """

    def __init__(self, choices: Iterable[int | None] = ()) -> None:
        self.choices: list[int | None] = []
        self.answers = self.leader = self.runner_up = self.refusals = 0
        self._counts: dict[int, int] = {}
        self._leading: int | None = None
        for choice in choices:
            self.add(choice)

    def add(self, choice: int | None) -> None:
        """Count a sample."""
        self.choices.append(choice)
        if choice is None:
            return
        if choice == REFUSED:
            self.refusals += 1
            return
        self.answers += 1
        count = self._counts[choice] = self._counts.get(choice, 0) + 1
        if choice == self._leading:
            self.leader = count
        elif count > self.leader:
            self.leader, self.runner_up, self._leading = count, self.leader, choice
        elif count > self.runner_up:
            self.runner_up = count

    def counts(self) -> tuple[int, ...]:
        """The votes of each answer, most first."""
        return tuple(sorted(self._counts.values(), reverse=True))

    def contests(self) -> list[tuple[int, int]]:
        """What is to be settled: the votes ahead, and the votes behind, of each."""
        if self.refusing:
            return [(self.refusals, self.answers)]
        which = (self.leader, self.runner_up)
        return [which, (self.answers, self.refusals)] if self.refusals else [which]

    @property
    def refusing(self) -> bool:
        """Whether the refusals win, as it stands."""
        return _refusing(self.refusals, self.answers)


def winner(choices: Mapping[int, int | None]) -> int | None:
    """The answer with the most votes; a tie goes to the answer that the lowest sample index chose.

    `REFUSED` wins where it has at least half of all votes, and else takes no part: one answer beside seven
    refusals is an accident, and a few refusals beside answers say nothing of them.

    Args:
        choices: by sample index; None for a sample without an answer, which does not vote.

    Returns:
        None if nobody voted.
    """
    votes: dict[int, int] = {}
    for index in sorted(choices):
        choice = choices[index]
        if choice is not None:
            votes[choice] = votes.get(choice, 0) + 1
    return winner_of(votes)


def winner_of(votes: Mapping[int, int]) -> int | None:
    """As `winner`, from the votes of each class, in the order of their lowest sample index."""
    refusals = votes.get(REFUSED, 0)
    if _refusing(refusals, sum(votes.values()) - refusals):
        return REFUSED
    answers = [choice for choice in votes if choice != REFUSED]
    return max(answers, key=votes.__getitem__, default=None)


def _refusing(refusals: int, answers: int) -> bool:
    return refusals > 0 and refusals >= answers
