"""Members: the replicas of a pool, as they are made of addresses and workers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import TypeAlias

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.worker import Worker, is_worker
from scaffolding_core.workers.openai import OpenAIWorker
from scaffolding_core.workers.pool.replica import Replica

__all__ = ["Keys", "Members"]

Keys: TypeAlias = str | Mapping[str, str] | Sequence[str | None] | None
"""One key for all replicas; or that of each, by address or in the order of the addresses."""


class Members:
    """Makes replicas of addresses and workers.

    Args:
        make: makes the worker of an address, with its key.
        keys: of the addresses.
        failures: in a row that take a replica out.
        settings: names of what else was said for the addresses.
    """

    def __init__(
        self,
        make: Callable[[str, str | None], OpenAIWorker],
        keys: Keys,
        failures: int,
        settings: Collection[str] = (),
    ) -> None:
        self._make = make
        self._keys = keys
        self._settings = settings if keys is None else ["api_key", *settings]
        self._failures = failures
        self._made: dict[str, int] = {}
        self._random = Random()

    def all_of(self, replicas: Sequence[str | Worker]) -> list[Replica]:
        """The replicas of a list.

        Raises:
            InvalidRequestError: what is neither an address nor a worker, a list of keys of another length, or
                settings for addresses, where there are none.
        """
        keys = self._keys
        if self._settings and not any(isinstance(replica, str) for replica in replicas):
            raise InvalidRequestError(
                f"{', '.join(self._settings)} would reach no replica, since none of them is an address: "
                "say it to the workers"
            )
        if keys is None or isinstance(keys, str | Mapping):
            return [self.one_of(replica) for replica in replicas]
        if len(keys) != len(replicas):
            raise InvalidRequestError(
                f"api_key has {len(keys)} keys for {len(replicas)} replicas: give one for each"
            )
        return [self._replica(replica, key) for replica, key in zip(replicas, keys, strict=True)]

    def one_of(self, replica: str | Worker) -> Replica:
        """The replica of an address or a worker that comes later.

        Raises:
            InvalidRequestError: it is neither.
        """
        keys = self._keys
        if isinstance(keys, Mapping):
            of_each = {address.rstrip("/"): key for address, key in keys.items()}
            key = of_each.get(str(replica).rstrip("/"))
        else:
            key = keys if isinstance(keys, str) else None
        return self._replica(replica, key)

    def _replica(self, given: str | Worker, key: str | None) -> Replica:
        owned = isinstance(given, str)
        worker = self._make(given, key) if isinstance(given, str) else given
        if not is_worker(worker):
            raise InvalidRequestError(f"a replica must be an address or a worker, got {given!r}")
        name = str(getattr(worker, "base_url", type(worker).__name__))
        self._made[name] = number = self._made.get(name, 0) + 1
        name = name if number == 1 else f"{name} ({number})"
        return Replica(name, worker, owned=owned, failures=self._failures, random=self._random)
