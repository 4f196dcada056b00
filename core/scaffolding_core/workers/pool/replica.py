"""Replica: one of a pool's workers, what it runs, and what is known of its health."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Literal, TypeAlias

from scaffolding_core.errors import RateLimitError, ScaffoldingError
from scaffolding_core.worker import Worker
from scaffolding_core.workers.http.retry import LONGEST_WAIT, backoff
from scaffolding_core.workers.pool.breaker import Breaker
from scaffolding_core.workers.pool.concurrency import Concurrency
from scaffolding_core.workers.pool.verdict import is_beyond_it, is_refusal, opens_at_once, speaks_ill

__all__ = ["Replica", "ReplicaState"]

ReplicaState: TypeAlias = Literal["healthy", "resting", "down", "trying", "refusing", "draining"]
"""`resting`: it asked to be left alone for a while; `down`: it failed, and is not asked until a probe passes;
`trying`: a probe passed, and one call tries it; `refusing`: the key, the model or the address is wrong there."""

_LOOK_AGAIN = 1.0
"""Seconds until it is seen what became of a probe, or of a call that tries the replica, if nobody told."""

_TOGETHER = 0.05
"""Seconds in which siblings that shared a request fail: that is one failure."""


class Replica:
    """One of a pool's workers; a pool shows them, and alone changes them.

    Args:
        name: that errors and traces have for it: its address without secrets.
        worker: runs its tasks.
        owned: the pool has made the worker, and closes it.
        failures: in a row that take it out.
        random: source of jitter.

    Attributes:
        last_failure: what it failed with last, in words; None if it never did.
    """

    def __init__(self, name: str, worker: Worker, *, owned: bool, failures: int, random: Random) -> None:
        self.name = name
        self.worker = worker
        self.owned = owned
        self.breaker = Breaker(failures, random=random)
        self.concurrency = Concurrency(getattr(worker, "max_concurrency", Worker.max_concurrency))
        self.draining = False
        self.rests_until = float("-inf")
        self.last_failure: str | None = None
        self.refusal: ScaffoldingError | None = None
        self._failures = failures
        self._random = random
        self._requests: Counter[object] = Counter()
        self._refusals = 0
        self._rests = False
        self._failed_together: tuple[object, float] = (None, float("-inf"))

    def __reduce__(self) -> tuple[object, ...]:
        return _replica, (self.name, self.worker, self.owned, self._failures)

    def anew(self) -> Replica:
        """The same in another process: nothing runs there, and nothing is known of it."""
        return _replica(self.name, self.worker, self.owned, self._failures)

    def __repr__(self) -> str:
        return f"Replica({self.name!r}, state={self.state!r}, outstanding={self.outstanding})"

    @property
    def outstanding(self) -> int:
        """Calls that it runs."""
        return self._requests.total()

    @property
    def state(self) -> ReplicaState:
        """What it is fit for; one that rests is told as `resting` until it is asked again."""
        if self.draining:
            return "draining"
        if not self.breaker.allows:
            return "trying" if self.breaker.state == "trying" else "refusing" if self.refusal else "down"
        return "resting" if self._rests else "healthy"

    def is_up(self, now: float) -> bool:
        """Whether it may be asked, now or once it has room."""
        return not self.draining and self.breaker.allows and now >= self.rests_until

    def has_room(self) -> bool:
        """Whether it may be asked at once, where it is up."""
        return self.concurrency.has_room(len(self._requests))

    def is_idle(self, request: object) -> bool:
        """Whether it runs nothing but a request's own siblings."""
        return not self._requests.keys() - {request}

    def due(self, now: float, *, needed: bool = False) -> float:
        """When it may be up again at the soonest, or when to look again; sooner where it is `needed`."""
        if self.breaker.allows:
            return self.rests_until
        look = self.breaker.due(needed=needed) if self.breaker.state == "open" else now + _LOOK_AGAIN
        return max(look, self.rests_until)

    def enter(self, request: object) -> None:
        """A call starts; those of one request count as one against its limit."""
        self._requests[request] += 1
        self.breaker.start()

    def leave(self, request: object) -> None:
        """A call ended."""
        self._requests[request] -= 1
        if self._requests[request] <= 0:
            del self._requests[request]

    def began(self) -> None:
        """A call began to be answered."""
        self.breaker.succeeded()
        self.refusal, self._refusals, self._rests = None, 0, False

    def answered(self) -> None:
        """A call was answered."""
        self.began()
        self.concurrency.answered()

    def failed(self, error: BaseException, request: object, started: float, now: float) -> None:
        """A call failed.

        Args:
            error: with what.
            request: that it was part of.
            started: when it started.
            now: the time.
        """
        shared, when = self._failed_together
        if request == shared and started <= when and now - when < _TOGETHER:
            return
        self._failed_together = (request, now)
        self.last_failure = str(error)
        asked = getattr(error, "retry_after", None)
        if isinstance(error, RateLimitError):
            self._refusals += self.concurrency.refused(started, now)
            asked = 0.0 if asked is None else asked
            self.breaker.abandoned()
        if asked is not None:
            self._rests = True
            # Jitter on top of what it asks for, lest all whom it sent away come back at once.
            rest = min(asked, LONGEST_WAIT) + backoff(max(1, self._refusals), self._random)
            self.rests_until = max(self.rests_until, now + rest)
        if is_refusal(error) and isinstance(error, ScaffoldingError):
            self.refusal = error
        if speaks_ill(error):
            self.breaker.failed(now, at_once=opens_at_once(error))
        elif is_beyond_it(error):
            self.breaker.abandoned()
        elif not isinstance(error, RateLimitError):
            self.began()  # it answered, if only that the request makes no sense


def _replica(name: str, worker: Worker, owned: bool, failures: int) -> Replica:
    return Replica(name, worker, owned=owned, failures=failures, random=Random())
