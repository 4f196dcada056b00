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
        if not isinstance(keys, str | Mapping | Sequence | None):
            raise InvalidRequestError(f"api_key must be a text, a list or a mapping, got {type(keys).__name__}")
        # Addresses that differ in a last slash are the same.
        self._keys = {_bare(url): key for url, key in keys.items()} if isinstance(keys, Mapping) else keys
        self._settings = settings if keys is None else ["api_key", *settings]
        self._failures = failures
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
            of_each = [self._key_of(replica) for replica in replicas]
        elif len(keys) != len(replicas):
            raise InvalidRequestError(
                f"api_key has {len(keys)} keys for {len(replicas)} replicas: give one for each"
            )
        else:
            of_each = list(keys)
        made: list[Replica] = []
        for replica, key in zip(replicas, of_each, strict=True):
            made.append(self._replica(replica, key, made))
        return made

    def one_of(self, replica: str | Worker, beside: Sequence[Replica]) -> Replica:
        """The replica of an address or a worker that comes later.

        Args:
            replica: the address or the worker.
            beside: those that there are, whose names are taken.

        Raises:
            InvalidRequestError: it is neither.
        """
        return self._replica(replica, self._key_of(replica), beside)

    def _key_of(self, replica: str | Worker) -> str | None:
        if isinstance(self._keys, Mapping):
            return self._keys.get(_bare(str(replica)))
        return self._keys if isinstance(self._keys, str) else None

    def _replica(self, given: str | Worker, key: str | None, beside: Sequence[Replica]) -> Replica:
        owned = isinstance(given, str)
        worker = self._make(given, key) if isinstance(given, str) else given
        if not is_worker(worker):
            raise InvalidRequestError(f"a replica must be an address or a worker, got {given!r}")
        plain = str(getattr(worker, "base_url", type(worker).__name__))
        taken = {replica.name for replica in beside}
        numbered = (f"{plain} ({number})" for number in range(2, len(taken) + 2))
        name = next(name for name in (plain, *numbered) if name not in taken)
        return Replica(name, worker, owned=owned, failures=self._failures, random=self._random)


def _bare(address: str) -> str:
    return address.rstrip("/")
