"""Numbers of the requests of a run, and of its calls of the same content."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolding_core.tasks import Scope
from scaffolding_core.trace.record import Key, Place

__all__ = ["Keys", "RequestNumbers", "Requests"]


class RequestNumbers:
    """A request that has called.

    Args:
        number: its own.
        origin: when it first called, on its loop's clock.
    """

    def __init__(self, number: int, origin: float) -> None:
        self.number = number
        self.origin = origin
        self._calls: dict[tuple[int, ...], int] = {}

    def place(self, branch: tuple[int, ...]) -> Place:
        """Where the call stands that a branch makes now."""
        call = self._calls.get(branch, 0)
        self._calls[branch] = call + 1
        return Place(self.number, branch, call)


class Requests:
    """Numbers requests in the order in which they first call.

    Args:
        first: number of the first.
    """

    def __init__(self, first: int) -> None:
        self._next = first
        self._running: dict[int, RequestNumbers] = {}

    def of(self, scope: Scope, now: float) -> RequestNumbers:
        """The request of a call that begins."""
        numbers = self._running.get(scope.request_id)
        if numbers is None:
            numbers = self._running[scope.request_id] = RequestNumbers(self._next, now)
            self._next += 1
        return numbers

    def forget(self, request_id: int) -> RequestNumbers | None:
        """A request has ended; gives its numbers, if it ever called."""
        return self._running.pop(request_id, None)


class Keys:
    """Hands out keys, each once.

    Args:
        next_index: the first free index of contents that have been asked before.
    """

    def __init__(self, next_index: Mapping[str, int]) -> None:
        self._next_index = dict(next_index)
        self._ahead: set[Key] = set()

    def following(self, digest: str) -> Key:
        """The next key of that content that no call has."""
        index = self._next_index.get(digest, 0)
        while (key := Key(digest, index)) in self._ahead:
            self._ahead.discard(key)
            index += 1
        self._next_index[digest] = index + 1
        return key

    def take(self, key: Key) -> bool:
        """Give a call a certain key; False if a call has it."""
        if key in self._ahead or key.index < self._next_index.get(key.digest, 0):
            return False
        self._ahead.add(key)
        return True
