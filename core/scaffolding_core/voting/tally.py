"""Tally: what a vote has seen so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["Tally", "winner"]


class Tally:
    """The choices of samples, one after another; a choice is the number of a class of equal answers.

    Attributes:
        choices: of each sample seen, in order; None for a sample without an answer.
        leader: the most votes that a class has.
        runner_up: the most votes that another class has.
    """

    def __init__(self, choices: Iterable[int | None] = ()) -> None:
        self.choices: list[int | None] = []
        self.leader = self.runner_up = 0
        self._counts: dict[int, int] = {}
        self._leading: int | None = None
        for choice in choices:
            self.add(choice)

    def add(self, choice: int | None) -> None:
        """Count a sample."""
        self.choices.append(choice)
        if choice is None:
            return
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
    return max(votes, key=lambda choice: votes[choice]) if votes else None
