"""Tally: what a vote has seen so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["REFUSED", "Tally", "winner"]

REFUSED = -2
"""The class of samples that decline to answer: it wins where at least half of all that vote are in it."""


class Tally:
    """The choices of samples, one after another; a choice is the number of a class of equal answers.

    Attributes:
        choices: of each sample seen, in order; None for a sample without an answer.
        leader: the most votes that a class has; those that decline are a class of their own.
        runner_up: the most votes that another class has.
        refusals: samples that decline to answer.
        answers: samples with an answer.
    """

    def __init__(self, choices: Iterable[int | None] = ()) -> None:
        self.choices: list[int | None] = []
        self.leader = self.runner_up = 0
        self.refusals = self.answers = 0
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
        else:
            self.answers += 1
        count = self._counts[choice] = self._counts.get(choice, 0) + 1
        if choice == self._leading:
            self.leader = count
        elif count > self.leader:
            self.leader, self.runner_up, self._leading = count, self.leader, choice
        elif count > self.runner_up:
            self.runner_up = count

    def counts(self) -> tuple[int, ...]:
        """The votes of each class, most first."""
        return tuple(sorted(self._counts.values(), reverse=True))


def winner(choices: Mapping[int, int | None]) -> int | None:
    """The class with the most votes; a tie goes to the class that the lowest sample index chose.

    `REFUSED` wins where it has at least half of the votes, and else takes no part: one answer beside seven
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
    refusals = votes.pop(REFUSED, 0)
    if refusals and refusals >= sum(votes.values()):
        return REFUSED
    return max(votes, key=lambda choice: votes[choice]) if votes else None
