"""Routing: which replica a call goes to; the least busy, unless another has its prompt in the cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol, TypeVar

__all__ = ["Loaded", "Routes", "least_busy"]

_MOST = 16_384
"""Beginnings of prompts that are remembered."""

_HARDLY_BUSY = 8
"""Calls that no replica is spared, however idle the others are."""


class Loaded(Protocol):
    """What can be busy."""

    @property
    def outstanding(self) -> int:
        """Calls that it runs."""


R = TypeVar("R", bound=Loaded)


def least_busy(replicas: Sequence[R], turn: int) -> R:
    """The one with the least outstanding work; of several, they take turns."""
    least = min(replica.outstanding for replica in replicas)
    idlest = [replica for replica in replicas if replica.outstanding == least]
    return idlest[turn % len(idlest)]


class Routes:
    """Where prompts went, so that those that begin alike go there again.

    Args:
        factor: a replica keeps its prompts until it has so many times the calls of the least busy one, taken for
            8 if it has fewer.
    """

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._homes: OrderedDict[int, Loaded] = OrderedDict()
        self._turn = 0

    def choose(self, usable: Sequence[R], beginnings: Sequence[int]) -> R:
        """Where a call goes.

        Args:
            usable: replicas that can take it, at least one.
            beginnings: keys of its prompt's beginnings, the longest first.
        """
        chosen = self._home(usable, beginnings) or least_busy(usable, self._turn)
        self._turn += 1
        for key in beginnings:
            self._homes[key] = chosen
            self._homes.move_to_end(key)
        while len(self._homes) > _MOST:
            self._homes.popitem(last=False)
        return chosen

    def forget(self, replica: Loaded) -> None:
        """A replica is gone."""
        for key in [key for key, home in self._homes.items() if home is replica]:
            del self._homes[key]

    def _home(self, usable: Sequence[R], beginnings: Sequence[int]) -> R | None:
        known = next((self._homes[key] for key in beginnings if key in self._homes), None)
        home = next((replica for replica in usable if replica is known), None)
        least = min(replica.outstanding for replica in usable)
        if home is None or home.outstanding >= self._factor * max(least, _HARDLY_BUSY):
            return None
        return home
