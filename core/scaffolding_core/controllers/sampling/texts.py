"""Texts: what samples say, each text once, and which of them mean the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from scaffolding_core.answers import REFUSAL, Normalised
from scaffolding_core.controllers.votes import wording
from scaffolding_core.results import Candidate
from scaffolding_core.voting import REFUSED
from scaffolding_core.voting.clusters import medoid, near, unit

__all__ = ["Texts"]


class Texts:
    """What samples say, each text once; those that differ in case, space and marks alone are one.

    Attributes:
        places: the samples that say each text, the earliest first.
        clusters: the places of texts that mean the same, as far as they are known; the medoid, by embeddings, or
            the one that the others were compared with, first.
    """

    def __init__(self) -> None:
        self.places: list[list[Candidate]] = []
        self.clusters: list[list[int]] = []
        self._alike = Normalised()
        self._place_of: dict[Hashable, int] = {}
        self._others: dict[int, int | None] = {}

    def add(self, candidate: Candidate) -> None:
        """Add a sample whose answer was read; one without an answer abstains."""
        if candidate.answer is None:
            self._others[candidate.index] = REFUSED if candidate.read_as == REFUSAL else None
            return
        key = bool(candidate.tool_calls), self._alike.key(candidate.answer)
        place = self._place_of.setdefault(key, len(self.places))
        if place == len(self.places):
            self.places.append([])
        self.places[place].append(candidate)

    def texts(self) -> list[str]:
        """The texts, as their first samples word them."""
        return [wording(candidates[0]) for candidates in self.places]

    def may_be_same(self, first: int, second: int) -> bool:
        """Whether two may mean the same, though they are worded differently; what wants a tool called may not."""
        return not (self.places[first][0].tool_calls or self.places[second][0].tool_calls)

    def together(self, vectors: Sequence[Sequence[float]], threshold: float) -> None:
        """Put those together whose vectors are near, each medoid first."""
        units = list(map(unit, vectors))
        spoken = [place for place, candidates in enumerate(self.places) if not candidates[0].tool_calls]
        for cluster in near([units[place] for place in spoken], threshold):
            places = [spoken[number] for number in cluster]
            weights = [len(self.places[place]) for place in places]
            best = places[medoid([units[place] for place in places], weights)]
            self.clusters.append([best, *(place for place in places if place != best)])

    def choices(self) -> dict[int, int | None]:
        """The cluster of each sample, by its index; a text of none is one by itself."""
        number_of = {place: number for number, cluster in enumerate(self.clusters) for place in cluster}
        choices = dict(self._others)
        for place, candidates in enumerate(self.places):
            number = number_of.get(place, len(self.clusters) + place)
            choices.update((candidate.index, number) for candidate in candidates)
        return dict(sorted(choices.items()))

    def medoid(self, chosen: Candidate) -> Candidate:
        """The sample that says what stands first in the cluster of another."""
        for cluster in self.clusters:
            for place in cluster:
                if any(candidate is chosen for candidate in self.places[place]):
                    return self.places[cluster[0]][0]
        return chosen
