"""Sample: one call of a pool, over all its attempts at all replicas."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

from scaffolding_core.messages import Usage
from scaffolding_core.tasks import GenerationTask, Task
from scaffolding_core.workers.http.retry import backoff
from scaffolding_core.workers.pool.prompts import beginnings
from scaffolding_core.workers.pool.replica import Replica
from scaffolding_core.workers.pool.run import Run
from scaffolding_core.workers.pool.verdict import is_beyond_it, is_refusal, is_silence, never_sent, stays

__all__ = ["Sample"]


class Sample:
    """One call, over all its attempts.

    Args:
        task: what is asked.
        deadline: when it has to be done, on the running loop's clock.

    Attributes:
        request: stands for it and for the siblings that share a request with it.
        attempts: that reached a replica, or may have.
        usage: what they have cost.
        failures: the last of each replica that was asked, in words.
        stays_at: the replica that is asked once more.
        patience: seconds that it waits while no replica is up.
        waits_since: since when no replica is up; None while one is.
        last: failure of all.
        running: the replicas that run it.
        shown: somebody has seen text of it.
        answered_by: the run that answered.
    """

    def __init__(self, task: Task, deadline: float | None) -> None:
        self.task = task
        self.deadline = deadline
        group = task.group if isinstance(task, GenerationTask) else None
        self.request: object = self if group is None else (id(asyncio.get_running_loop()), group)
        self.beginnings: Sequence[int] = beginnings(task)
        self.attempts = 0
        self.usage = Usage()
        self.failures: dict[str, str] = {}
        self.last: BaseException | None = None
        self.stays_at: Replica | None = None
        self.patience = 0.0
        self.waits_since: float | None = None
        self.running: list[Replica] = []
        self.shown = False
        self.answered_by: Run | None = None
        self._ready: dict[Replica, float] = {}
        self._refused: set[Replica] = set()
        self._random = Random(hash(self.request))  # siblings wait alike, so that they stay together

    def paid(self, run: Run) -> None:
        """A run is over: what it has cost is counted."""
        self.usage.add(run.usage)
        self.shown = self.shown or run.shown

    def failed(self, replica: Replica, error: BaseException, now: float) -> None:
        """A run failed, and another may not."""
        self.attempts -= never_sent(error)
        self.failures[replica.name] = str(error)
        self.last = error
        again = replica not in self._ready and stays(error) and replica.breaker.allows
        self.stays_at = replica if again else None
        self._ready[replica] = now + backoff(max(1, self.attempts), self._random)
        if is_refusal(error) or is_silence(error) or is_beyond_it(error):
            self._refused.add(replica)

    def may_ask(self, replica: Replica) -> bool:
        """Whether a replica might answer it at all."""
        return replica not in self._refused

    def choices(self, up: Sequence[Replica], now: float) -> list[Replica]:
        """Those which it may ask now, of the replicas that are up."""
        may = [replica for replica in up if self.may_ask(replica)]
        if self.stays_at in may:
            may = [self.stays_at]
        return [replica for replica in may if self.ready(replica, now) <= now]

    def has_asked(self, replica: Replica) -> bool:
        """Whether the replica has failed it."""
        return replica in self._ready

    def ready(self, replica: Replica, now: float) -> float:
        """When it may ask a replica at the soonest."""
        return self._ready.get(replica, now)
