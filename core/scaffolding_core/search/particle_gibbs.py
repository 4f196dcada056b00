"""ParticleGibbs: particle filtering again and again, each time around an answer of before."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Literal

from scaffolding_core.search.particles import Particles, picked
from scaffolding_core.search.tree_search import checked_least

__all__ = ["ParticleGibbs"]


class ParticleGibbs(Particles):
    """Particle filtering in several sweeps, in each but the first of which one particle follows a kept answer.

    That answer, the reference, is drawn by weight of those that the sweep before ended with. It takes no samples,
    competes with the others step by step, and cannot die out. The nodes hold the answers of all sweeps.

    Source: Puri et al. 2025, arXiv 2502.01618, section on particle Gibbs; Andrieu et al. 2010.

    Args:
        n: particles, the reference among them; at least 2.
        sweeps: how often all begin.
        weights: as for `Particles`, as those below.
        temperature: of weights.
        seed: of all that is drawn.
        max_depth: steps of an answer at most.

    Attributes:
        reference: the nodes of the answer that is followed, from its first step.

    Raises:
        InvalidRequestError: a number out of its range, or an unknown name.
    """

    def __init__(
        self,
        n: int = 4,
        *,
        sweeps: int = 3,
        weights: Literal["odds", "softmax"] = "odds",
        temperature: float = 1.0,
        seed: int = 0,
        max_depth: int = 40,
    ) -> None:
        self.sweeps = checked_least("sweeps", sweeps, 1)
        self.reference: list[int] = []
        self._swept = 0
        self._of_sweeps: list[int] = []
        self._followed = 0  # steps of the reference
        super().__init__(
            checked_least("n", n, 2),
            weights=weights,
            temperature=temperature,
            resampling="multinomial",  # given the reference, the others are drawn each by itself
            seed=seed,
            max_depth=max_depth,
        )

    @property
    def finished(self) -> list[int]:
        """The nodes that the particles of all sweeps ended with, each as often as it lived."""
        return [*self._of_sweeps, *super().finished]

    def _begin_round(self) -> None:
        super()._begin_round()
        if not self.reference:
            return
        if not self._ended(0):
            self._open.remove(0)
            self.particles[0] = self.reference[self._followed]
            self._followed += 1
        if not self._open:
            self._weigh()

    def _drawn(self, shares: Sequence[float]) -> list[int]:
        drawn = super()._drawn(shares)
        return [0, *drawn[1:]] if self.reference else drawn

    def _finish(self, shares: Sequence[float]) -> None:
        self._swept += 1
        point = Random(f"{self.seed}/sweep {self._swept}").random()
        kept = self.particles[picked(shares, point)]
        if self._swept < self.sweeps:
            self._of_sweeps = self.finished
            self.reference = [node for node in self.line(kept) if node != self.root][::-1]
            self._followed = 0
            self._begin()
