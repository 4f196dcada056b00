"""Past: the calls of earlier runs, for a run that makes them again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from scaffolding_core.messages import JsonValue
from scaffolding_core.trace.record import Key, Place, Record

__all__ = ["Past", "Turn"]


class Turn(NamedTuple):
    """A place in the order in which the calls of a recorded request ended.

    Attributes:
        request: number of the recorded request.
        order: 0 for the first; None for a call that was cut.
    """

    request: int
    order: int | None


class Past:
    """Finds the calls of earlier runs by what they asked.

    A request that makes a call which a recorded one made in the same place follows that one: of calls with the
    same content each then finds its own, and the order of their ends is known.

    Args:
        records: in the order in which they ended.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_key: dict[Key, Record] = {}
        self._by_place: dict[Place, Record] = {}
        self._turns: dict[Place, Turn] = {}
        self._leaders: dict[tuple[tuple[int, ...], int, str], list[int]] = {}
        self._led: set[int] = set()
        self._leader_of: dict[int, int] = {}
        self._models: dict[str, str | None] = {}
        ended: dict[int, int] = {}
        for record in records:
            self._add(record, ended)
        for requests in self._leaders.values():
            requests.sort(reverse=True)  # they are taken from the end

    def _add(self, record: Record, ended: dict[int, int]) -> None:
        order = None if record.ending == "cut" else ended.get(record.request, 0)
        if order is not None:
            ended[record.request] = order + 1
        self._turns[record.place] = Turn(record.request, order)
        self._by_place[record.place] = record
        self._leaders.setdefault((record.branch, record.call, record.digest), []).append(record.request)
        self._models[json.dumps(record.role)] = record.model
        known = self._by_key.get(record.key)
        if known is None or known.ending != "finished":  # one that failed or was cut may have been made again
            self._by_key[record.key] = record

    def __len__(self) -> int:
        return len(self._by_key)

    def with_key(self, key: Key) -> Record | None:
        """The record of that key."""
        return self._by_key.get(key)

    def in_place(self, place: Place, digest: str) -> Record | None:
        """What the request that this one follows did in the same place, if it asked the same."""
        leader = self._leader(place, digest)
        record = None if leader is None else self._by_place.get(place._replace(request=leader))
        return record if record is not None and record.digest == digest else None

    def turn_of(self, record: Record) -> Turn:
        """When a call ended among those of its request."""
        return self._turns[record.place]

    def instead(self, place: Place) -> Record | None:
        """What was recorded in that place, whatever it asked."""
        leader = self._leader_of.get(place.request)
        return next(
            (
                record
                for record in self._by_place.values()
                if (record.branch, record.call) == place[1:]
                and (record.request == leader or (leader is None and record.request not in self._led))
            ),
            None,
        )

    def model_of(self, role: JsonValue) -> str | None:
        """The model that played a role, the last one where several did."""
        return self._models.get(json.dumps(role))

    def forget(self, request: int) -> None:
        """A request of the present run has ended."""
        self._leader_of.pop(request, None)

    def _leader(self, place: Place, digest: str) -> int | None:
        leader = self._leader_of.get(place.request)
        if leader is not None:
            return leader
        free = self._leaders.get((place.branch, place.call, digest), [])
        while free:
            leader = free.pop()
            if leader not in self._led:
                self._led.add(leader)
                self._leader_of[place.request] = leader
                return leader
        return None
