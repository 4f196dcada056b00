"""Backends: what a model of another library and its copies have opened, and how it is closed."""

from __future__ import annotations

import operator
import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import Self

from scaffolding_core.adapting.backend import Backend

__all__ = ["Backends", "Closable"]

KEPT_BACKENDS = 8
"""Settings whose backend is kept for the next call; a key or an address may come anew with each, without end."""


class Backends:
    """The backends of a model and its copies: copies with the same settings share one; those used last are kept.

    One that is let go, or is lost with the last of the copies, ends by itself once nobody waits for its requests.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[tuple[object, ...], Backend]] = []
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: object) -> Backends:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), ()  # what is open stays in its process

    def get(self, settings: tuple[object, ...], make: Callable[[], Backend]) -> Backend:
        """The backend that was made of these settings, or is made now.

        Args:
            settings: texts and numbers are the same if they are equal, dicts and tuples if they hold the same, and
                anything else if it is the same object.
            make: makes it; what it raises is raised.
        """
        settings = tuple([tuple(each.items()) if isinstance(each, dict) else each for each in settings])
        with self._lock:
            for place, (kept, _) in enumerate(self._kept):
                if all(map(operator.is_, kept, settings)) or _same(kept, settings):
                    found = self._kept.pop(place)
                    break
            else:
                found = settings, make()
            self._kept = [*self._kept, found][-KEPT_BACKENDS:]
            return found[1]

    def close(self) -> None:
        """Close each; see `Backend.close`."""
        for backend in self._let_go():
            backend.close()

    async def aclose(self) -> None:
        """Close each; see `Backend.aclose`."""
        for backend in self._let_go():
            await backend.aclose()

    def _let_go(self) -> list[Backend]:
        with self._lock:
            kept, self._kept = self._kept, []
        return [backend for _, backend in kept]


def _same(one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one is other or (isinstance(one, str | int | float) and one == other)


class Closable:
    """What has backends: closed by `close()` or `aclose()`, or at the end of a `with` or `async with`."""

    @property
    @abstractmethod
    def _backends(self) -> Backends:
        """What it opened."""

    def close(self) -> None:
        """Let running requests finish, and close the connections and threads that this object opened.

        It opens them again with the next call, so whoever still has it may use it. A worker, or a wrapped model,
        that it was given stays open. Copies with the same settings share what is open, and its end.

        It may be called from any thread, and again. It waits for the requests, but for those that the caller would
        hold up, on the running event loop or around the call: what they use is closed with the last of them.
        """
        self._backends.close()

    async def aclose(self) -> None:
        """As `close`, and waits for the requests of the running event loop too."""
        await self._backends.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
