"""PosteriorBallot: a vote that ends once an answer is probably right, as the scores of its samples have it."""

from __future__ import annotations

import math
from collections.abc import Callable

from scaffolding_core.voting.beta import checked_confidence
from scaffolding_core.voting.tally import REFUSED

__all__ = ["PosteriorBallot"]

_SUREST = 0.99
"""No score counts for more than that, nor for less than its opposite: one sample never settles a vote alone."""


class PosteriorBallot:
    """Counts samples in the order of their numbers, each with its score as the chance that its answer is right.

    By Bayes, the odds of an answer against all that nobody gave are the product of those of its samples; scores
    below one half speak against it. The vote is decided once the leading answer has the confidence.

    Source: Aghazadeh et al. 2025, arXiv 2511.02603.

    Args:
        n: samples at most.
        confidence: between 0.5 and 1.
        score: of a sample that ended, by its number; None as long as it is not known.

    Attributes:
        decided: whether the rest is not needed.
        ahead: how many samples may run and not be counted yet.

    Raises:
        InvalidRequestError: a confidence out of range.
    """

    def __init__(self, n: int, confidence: float, score: Callable[[int], float | None]) -> None:
        self.decided = False
        self._n, self._confidence, self._score = n, checked_confidence(confidence), score
        self._choices: dict[int, int | None] = {}
        self._next = 0  # of those that are counted in their order
        self._evidence: dict[int, float] = {}  # the logarithm of each answer's odds
        self._answers = 0

    @property
    def ahead(self) -> int:
        """How many samples may run and not be counted yet: as would settle it if all were for the leader."""
        aim = min(self._n, self._next + self._need())
        return max(0, aim - len(self._choices))

    def see(self, index: int, choice: int | None) -> None:
        """Count a sample that ended; one that failed, or has no answer, has no choice."""
        self._choices[index] = choice
        while not self.decided and self._next in self._choices:
            choice = self._choices[self._next]
            if choice is not None:
                score = self._score(self._next)
                if score is None:
                    return
                self._add(choice, score)
            self._next += 1
            self.decided = self._next < self._n and self.probability >= self._confidence

    def refuse(self, index: int) -> None:
        """Count a sample that declines to answer."""
        self.see(index, REFUSED)

    def count_all(self) -> None:
        """Let every sample vote that is there, whatever the order: time is up."""
        self._next = max(self._choices, default=-1) + 1

    def votes(self) -> dict[int, int | None]:
        """The choice of each sample that counts, by index."""
        return {index: choice for index, choice in self._choices.items() if index < self._next}

    @property
    def probability(self) -> float:
        """That the leading answer is right; 0 before there is one."""
        return _probability([*self._evidence.values()])

    def _add(self, choice: int, score: float) -> None:
        chance = min(_SUREST, max(1 - _SUREST, score))
        self._evidence[choice] = self._evidence.get(choice, 0.0) + math.log(chance / (1 - chance))
        self._answers += 1

    def _need(self) -> int:
        """Further votes for the leader, each worth what a vote was so far, that would settle it; one at least."""
        worth = max(sum(map(abs, self._evidence.values())) / max(1, self._answers), math.log(2))
        evidence = sorted(self._evidence.values(), reverse=True) or [0.0]
        left = self._n - self._next
        for need in range(1, left):
            if _probability([evidence[0] + need * worth, *evidence[1:]]) >= self._confidence:
                return need
        return left


def _probability(evidence: list[float]) -> float:
    """Of the answer with the most evidence, beside those with less and all that nobody gave."""
    if not evidence:
        return 0.0
    most = max(*evidence, 0.0)
    total = math.exp(-most) + math.fsum(math.exp(each - most) for each in evidence)
    return math.exp(max(evidence) - most) / total
