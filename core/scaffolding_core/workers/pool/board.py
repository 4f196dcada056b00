"""Board: which replica a call gets, and what is known of each; shared by event loops and threads."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from threading import Lock

from scaffolding_core.errors import BackendUnavailableError, ClosedError, InvalidRequestError, ScaffoldingError
from scaffolding_core.worker import Worker
from scaffolding_core.workers.pool.changes import Changes
from scaffolding_core.workers.pool.replica import Replica
from scaffolding_core.workers.pool.routing import Routes
from scaffolding_core.workers.pool.run import Run
from scaffolding_core.workers.pool.sample import Sample
from scaffolding_core.workers.pool.verdict import all_failed

__all__ = ["Board"]

_BEFORE_THE_END = 0.05
"""Seconds before a deadline at which a call says why it could not be answered."""


class Board:
    """The replicas of a pool, under one lock.

    Args:
        replicas: to begin with.
        sticky_factor: see `Routes`.
    """

    def __init__(self, replicas: Sequence[Replica], sticky_factor: float) -> None:
        self._lock = Lock()
        self._replicas = list(replicas)
        self._routes = Routes(sticky_factor)
        self._changes = Changes[Sample]()
        self._ends = Changes[Replica]()
        self._closed = False
        self._together: dict[object, Replica] = {}

    # Its replicas.

    @property
    def replicas(self) -> list[Replica]:
        """Those that it has."""
        return list(self._replicas)

    def add(self, replica: Replica) -> None:
        """Take one in."""
        with self._lock:
            self._replicas.append(replica)
        self._changes.tell()

    def find(self, wanted: str | Worker | Replica) -> Replica:
        """The replica of an address, or of a worker.

        Raises:
            InvalidRequestError: there is none.
        """
        for replica in self.replicas:
            if wanted in (replica, replica.worker) or (
                isinstance(wanted, str) and wanted.rstrip("/") == replica.name
            ):
                return replica
        names = ", ".join(replica.name for replica in self.replicas) or "none"
        raise InvalidRequestError(f"{wanted!r} is no replica of this pool; it has: {names}")

    def remove(self, replica: Replica) -> None:
        """Take one out."""
        with self._lock:
            replica.draining = True
            self._replicas = [other for other in self._replicas if other is not replica]
            self._routes.forget(replica)
        self._changes.tell()

    async def drain(self, replica: Replica) -> None:
        """Give one no more calls, wait until it runs none, and take it out."""
        with self._ends.watch(replica) as end:
            replica.draining = True
            self._changes.tell()
            while replica.outstanding:
                await end.comes(None)
        self.remove(replica)

    def close(self) -> None:
        """Let nobody wait for one any more."""
        self._closed = True
        self._changes.tell()

    # Calls.

    async def place(self, sample: Sample, probe: Callable[[Replica], None]) -> Replica:
        """Wait for a replica that can take a call; it is taken for it.

        Args:
            sample: the call.
            probe: starts a probe.

        Raises:
            ClosedError: the pool was closed meanwhile.
            WorkerError: there is none, and will be none in time.
        """
        replica = self._take(sample, probe)
        if replica is not None:
            return replica
        try:
            with self._changes.watch(sample) as change:
                while True:
                    if self._closed:
                        raise ClosedError("the pool was closed while the task waited for a replica")
                    replica = self._take(sample, probe)
                    if replica is not None:
                        return replica
                    await change.comes(self._wait_of(sample))
        finally:
            self._offer_room()  # there may be more; and one who was told of it may have been cut

    def idle_one(self, sample: Sample) -> Replica | None:
        """A replica that is up and idle, and has not been asked; it is taken for the call."""
        now = time.monotonic()
        with self._lock:
            for replica in self._replicas:
                asked = sample.has_asked(replica) or replica in sample.running
                if not asked and replica.is_up(now) and replica.is_idle(sample.request) and replica.has_room():
                    self._enter(sample, replica)
                    return replica
        return None

    def began(self, run: Run) -> None:
        """A run has shown its first token."""
        with self._lock:
            run.replica.began()

    def over(self, sample: Sample, run: Run, started: float, task: asyncio.Task[None]) -> None:
        """A run has ended: what became of it is known of its replica from here on, and what it cost is counted."""
        replica, request = run.replica, sample.request
        with self._lock:
            known = replica.breaker.state
            replica.leave(request)
            if replica in sample.running:
                sample.running.remove(replica)
            error = run.silence if task.cancelled() else task.exception()
            if error is not None:
                now = time.monotonic()
                replica.failed(error, request, started, now)
                sample.failed(replica, error, now)
            elif task.cancelled():
                replica.breaker.abandoned()
            else:
                replica.answered()
            changed = error is not None or replica.breaker.state != known
        sample.paid(run)
        self._ends.tell()
        if changed:
            self._changes.tell()
        else:
            self._offer_room()

    def probe_passed(self, replica: Replica) -> None:
        """A replica has answered a probe."""
        now = time.monotonic()
        self.changed(lambda: replica.breaker.probe_passed(now, needed=self._none_up(now)))

    def _none_up(self, now: float) -> bool:
        return not any(replica.is_up(now) for replica in self._replicas)

    def changed(self, change: Callable[[], None]) -> None:
        """Change what is known of a replica, and wake those who wait for one."""
        with self._lock:
            change()
        self._changes.tell()

    def _offer_room(self) -> None:
        """Wake the first of those who wait that may have what room there is: waking all would be slow."""
        if not self._changes.awaited:
            return
        now = time.monotonic()
        with self._lock:
            up = [replica for replica in self._replicas if replica.is_up(now)]
            free = [replica for replica in up if replica.has_room()]
        if free:
            self._changes.tell_first(
                lambda sample: any(replica in free for replica in sample.choices(up, now)),
                together=lambda sample: sample.request,
            )

    def _take(self, sample: Sample, probe: Callable[[Replica], None]) -> Replica | None:
        now = time.monotonic()
        with self._lock:
            needed = self._none_up(now)
            due = [replica for replica in self._replicas if replica.breaker.probe_due(now, needed=needed)]
            for replica in due:
                replica.breaker.probe(now)
            chosen = self._choose(sample, now)
            if chosen is not None:
                self._enter(sample, chosen)
        for replica in due:
            probe(replica)
        return chosen

    def _enter(self, sample: Sample, replica: Replica) -> None:
        replica.enter(sample.request)
        sample.running.append(replica)

    def _choose(self, sample: Sample, now: float) -> Replica | None:
        home = self._together.get(sample.request)
        if home is not None and home in self._replicas and not home.draining and sample.choices([home], now):
            return home  # a sibling has just gone there: they share a request, and its room
        choices = sample.choices([replica for replica in self._replicas if replica.is_up(now)], now)
        fresh = [replica for replica in choices if not sample.has_asked(replica)]
        back = [replica for replica in fresh if replica.breaker.state == "half-open"]
        asked = [replica for replica in choices if sample.has_asked(replica)]
        for some in (back, fresh, asked):  # one that is back is tried, wherever its prompts went meanwhile
            usable = [replica for replica in some if replica.has_room()]
            if usable:
                moved = bool(sample.failures)  # its prompts stay where they were: that may have been one failure
                chosen = self._routes.choose(usable, () if moved else sample.beginnings)
                self._keep_together(sample, chosen)
                return chosen
        return None

    def _keep_together(self, sample: Sample, replica: Replica) -> None:
        """Let the siblings that start in this tick follow."""
        if sample.request is not sample:
            self._together[sample.request] = replica
            asyncio.get_running_loop().call_soon(self._together.pop, sample.request, None)

    def _wait_of(self, sample: Sample) -> float | None:
        """Seconds until a call should look again; None until something changes.

        Raises:
            WorkerError: there is nothing to wait for.
        """
        now = time.monotonic()
        with self._lock:
            left = [replica for replica in self._replicas if sample.may_ask(replica) and not replica.draining]
            up = [replica for replica in left if replica.is_up(now)]
            if up:
                sample.waits_since = None
                times = [sample.ready(replica, now) if replica in up else replica.due(now) for replica in left]
                return min((time - now for time in times if time > now), default=None)
            sample.waits_since = now if sample.waits_since is None else sample.waits_since
            end = sample.waits_since + sample.patience
            if sample.deadline is not None:
                end = min(end, now + sample.deadline - asyncio.get_running_loop().time() - _BEFORE_THE_END)
            due = min((replica.due(now, needed=True) for replica in left), default=math.inf)
            refusing = all(replica.refusal is not None for replica in left)
            if refusing or max(due, now) >= end:
                raise self._none_is_up(sample)
            return max(0.0, min(due, end) - now)

    def _none_is_up(self, sample: Sample) -> BaseException:
        if not self._replicas and sample.last is None:
            return BackendUnavailableError("the pool has no replicas: add one")
        failures = {replica.name: replica.last_failure or replica.state for replica in self._replicas}
        refusal: ScaffoldingError | None = next((r.refusal for r in self._replicas if r.refusal is not None), None)
        last = sample.last or refusal or BackendUnavailableError("no replica is up")
        return all_failed(last, {**failures, **sample.failures}, sample.attempts)
