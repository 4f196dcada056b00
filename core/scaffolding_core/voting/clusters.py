"""Clusters of texts by the likeness of their embeddings, and how much they differ, as arithmetic."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence

__all__ = ["entropy", "medoid", "near", "unit"]


def unit(vector: Sequence[float]) -> list[float]:
    """The vector of length 1 in the same direction; all 0 where it has none."""
    length = math.hypot(*vector)
    known = 0 < length < math.inf
    return [number / length if known else 0.0 for number in vector]


def near(units: Sequence[Sequence[float]], threshold: float) -> list[list[int]]:
    """The places of vectors in clusters, each in order, so that each place is in one.

    A vector joins the cluster to whose first vector its cosine is the highest, the earlier of equals, if that is
    at least the threshold, and begins a cluster otherwise.

    Args:
        units: vectors of length 1, in the order in which they are taken.
        threshold: the least cosine.
    """
    clusters: list[list[int]] = []
    for place, vector in enumerate(units):
        cosines = [_cosine(units[cluster[0]], vector) for cluster in clusters]
        best = max(range(len(cosines)), key=cosines.__getitem__, default=None)
        if best is not None and cosines[best] >= threshold:
            clusters[best].append(place)
        else:
            clusters.append([place])
    return clusters


def medoid(units: Sequence[Sequence[float]], weights: Sequence[float]) -> int:
    """The place of the vector whose cosines to all, by their weights, sum to the most; the earliest of equals."""
    middle = [
        sum(weight * number for weight, number in zip(weights, numbers, strict=True))
        for numbers in zip(*units, strict=True)
    ]
    sums = [round(_cosine(vector, middle), 9) for vector in units]  # equal ones differ in their last digits
    return max(range(len(units)), key=sums.__getitem__)


def entropy(counts: Iterable[int]) -> float:
    """The entropy of the shares of so many, in nats: 0 where all are of one kind, log n where n differ."""
    counted = [count for count in counts if count > 0]
    total = sum(counted)
    return sum(count / total * math.log(total / count) for count in counted)


def _cosine(first: Sequence[float], second: Sequence[float]) -> float:
    return float(sum(map(operator.mul, first, second)))
