"""Particles: partial answers that live on in proportion to their weights."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from random import Random
from typing import Literal

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.search.step_search import StepSearch
from scaffolding_core.search.tree_search import Node, Thought, Trial, checked_least

__all__ = ["Particles"]


class Particles(StepSearch):
    """Particle filtering: each of n partial answers takes one step, and then n of them are drawn by their weights.

    A weight is made of the value of the step that was reached last: its `odds`, v / (1 - v), for values from 0 to
    1, or `softmax`, exp(v). Those that have ended are drawn among the others, and take no further step; a trial
    that found nothing is a particle of weight 0. It is done when all have ended.

    Where all take equally many steps, exp(`log_normaliser`) is an unbiased estimate of the expected product of the
    weights along an answer.

    Source: Puri et al. 2025, arXiv 2502.01618, algorithm 1; the weights are the odds of its implementation unless
    asked for otherwise.

    Args:
        n: particles.
        weights: what a value weighs.
        temperature: weights are taken to the power of one over it; more keeps more of the unlikely ones.
        resampling: `systematic` draws evenly, with less noise; `multinomial` draws each by itself.
        seed: of all that is drawn.
        max_depth: steps of an answer at most.

    Attributes:
        particles: their nodes, by id.
        log_normaliser: sum over all rounds of the logarithm of the mean weight.

    Raises:
        InvalidRequestError: a number out of its range, an unknown name, or, when it is told, a value without odds.
    """

    def __init__(
        self,
        n: int = 8,
        *,
        weights: Literal["odds", "softmax"] = "odds",
        temperature: float = 1.0,
        resampling: Literal["systematic", "multinomial"] = "systematic",
        seed: int = 0,
        max_depth: int = 40,
    ) -> None:
        super().__init__(max_depth=max_depth)
        self.n = checked_least("n", n, 1)
        if weights not in ("odds", "softmax"):
            raise InvalidRequestError(f"weights must be 'odds' or 'softmax', got {weights!r}")
        if resampling not in ("systematic", "multinomial"):
            raise InvalidRequestError(f"resampling must be 'systematic' or 'multinomial', got {resampling!r}")
        if not (isinstance(temperature, int | float) and 0 < temperature < math.inf):
            raise InvalidRequestError(f"temperature of weights must be a number above 0, got {temperature!r}")
        self.weights, self.temperature, self.resampling, self.seed = weights, temperature, resampling, seed
        self.particles: list[int] = []
        self.log_normaliser = 0.0
        self._rounds = 0
        self._open: deque[int] = deque()
        self._slots: dict[int, int] = {}  # of running trials
        self._dead: set[int] = set()  # slots
        self._begin()

    @property
    def done(self) -> bool:
        """Whether all have ended."""
        return not self.running and not self._open

    @property
    def finished(self) -> list[int]:
        """The nodes of the particles that have ended, each as often as it lives."""
        return [self.particles[slot] for slot in range(self.n) if self._ended(slot) and slot not in self._dead]

    def samples(self, trial: Trial) -> int:
        """How many next steps to draw in a trial."""
        return 1

    def tell(self, trial: Trial, thoughts: Sequence[Thought] = ()) -> list[Node]:
        """The next step of a particle; none where it failed."""
        if trial.id not in self.running:
            return []
        if self.weights == "odds" and not all(0 <= thought.value <= 1 for thought in thoughts[:1]):
            raise InvalidRequestError(
                f"only values from 0 to 1 have odds, got {thoughts[0].value!r}: take weights='softmax'"
            )
        slot = self._slots.pop(trial.id)
        told = super().tell(trial, thoughts[:1])
        for node in told:
            self.nodes[node.id] = replace(node, place=(self._rounds, slot))
            self.particles[slot] = node.id
        if not told:
            self._dead.add(slot)
        if self.done:
            self._weigh()
        return [self.nodes[node.id] for node in told]

    def _next(self) -> int | None:
        if not self._open:
            return None
        slot = self._slots[self._asked] = self._open.popleft()
        return self.particles[slot]

    def _grow(self, trial: Trial, parent: Node, children: Sequence[Node]) -> None:
        """A particle goes on once all have gone so far."""

    def _take_back(self, node: Node) -> None:
        trial = next(each for each in self._slots if each not in self.running)
        self._open.appendleft(self._slots.pop(trial))

    def _begin(self) -> None:
        """Begin with empty answers."""
        self.particles = [self.root] * self.n
        self.log_normaliser = 0.0
        self._begin_round()

    def _begin_round(self) -> None:
        self._rounds += 1
        self._dead = set()
        self._open.extend(slot for slot in range(self.n) if not self._ended(slot))

    def _ended(self, slot: int) -> bool:
        return self.ends(self.nodes[self.particles[slot]])

    def _weigh(self) -> None:
        """End a round."""
        shares = self._shares()
        if shares is None:
            return
        if all(self._ended(slot) for slot in range(self.n) if slot not in self._dead):
            self._finish(shares)
            return
        self.particles = [self.particles[slot] for slot in self._drawn(shares)]
        self._begin_round()

    def _finish(self, shares: Sequence[float]) -> None:
        """All have ended."""

    def _shares(self) -> list[float] | None:
        """The share that each particle has of all weights; None where none is left."""
        logs = [-math.inf if slot in self._dead else self._log_weight(slot) for slot in range(self.n)]
        highest = max(logs)
        if highest == -math.inf:
            return None
        parts = [math.exp(log - highest) for log in logs]
        total = math.fsum(parts)
        self.log_normaliser += highest + math.log(total / self.n)
        return [part / total for part in parts]

    def _log_weight(self, slot: int) -> float:
        value = self.nodes[self.particles[slot]].value
        if self.weights == "softmax":
            return value / self.temperature
        least = 1e-9  # odds of 0 would leave none, and those of 1 nobody else
        value = min(max(value, least), 1 - least)
        return math.log(value / (1 - value)) / self.temperature

    def _drawn(self, shares: Sequence[float]) -> list[int]:
        """The slots that live on."""
        random = Random(f"{self.seed}/{self._rounds}")
        if self.resampling == "systematic":
            start = random.random()
            points = [(start + place) / self.n for place in range(self.n)]
        else:
            points = [random.random() for _ in range(self.n)]
        return [picked(shares, point) for point in points]


def picked(shares: Sequence[float], point: float) -> int:
    """The place at which so much of all shares is reached, of places that have a share."""
    reached = list(accumulate(shares))
    place = bisect_left(reached, point * reached[-1])
    return next(each for each in range(place, len(shares)) if shares[each] > 0)
