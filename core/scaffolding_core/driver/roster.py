"""Roster: the workers of a ScaffoldingLlm, each with its slots."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Mapping
from contextlib import AsyncExitStack, ExitStack

from scaffolding_core.driver.compute import ComputeWorker
from scaffolding_core.driver.lane import Lane
from scaffolding_core.driver.order import described
from scaffolding_core.errors import InvalidRequestError, MissingWorkerError
from scaffolding_core.tasks import Task
from scaffolding_core.worker import Worker, is_worker, told

__all__ = ["NOBODY", "Roster"]


class Roster:
    """Workers by tag, looked up anew for each task: whoever changes `by_tag` changes who does the next.

    Args:
        workers: workers by tag, or one worker for every tag.

    Attributes:
        by_tag: the workers by tag.
        scope_workers: those that want to know when a request ends.
        references: to each worker so far, for whoever must not keep them.

    Raises:
        InvalidRequestError: what is no worker, or one whose limit is below 1.
    """

    def __init__(self, workers: Mapping[Hashable, Worker] | Worker) -> None:
        self.by_tag: dict[Hashable, Worker] = dict(workers) if isinstance(workers, Mapping) else {}
        self._otherwise = None if isinstance(workers, Mapping) else workers
        self.scope_workers: list[Worker] = []
        self.references: list[weakref.ref[Worker]] = []
        compute = ComputeWorker()
        self._compute = compute, Lane(compute.max_concurrency)
        self._met: dict[int, tuple[Worker, Lane]] = {}
        for worker in self.by_tag.values() if isinstance(workers, Mapping) else [workers]:
            self._meet(worker)

    @property
    def lanes(self) -> list[Lane]:
        """The slots of all workers so far."""
        return [self._compute[1], *(lane for _, lane in list(self._met.values()))]

    def find(self, task: Task) -> tuple[Worker, Lane]:
        """The worker that runs a task, and its slots.

        Raises:
            MissingWorkerError: there is none.
            InvalidRequestError: what was put there is no worker.
        """
        if not task.needs_worker:
            return self._compute
        worker = self.of_tag(task.worker_tag) if self.by_tag else self._otherwise
        if worker is None:
            tags = ", ".join(repr(getattr(tag, "value", tag)) for tag in self.by_tag) or "none"
            tag = getattr(task.worker_tag, "value", task.worker_tag)
            raise MissingWorkerError(
                f"no worker for the tag {tag!r} of a {type(task).__name__}: the workers' tags are {tags}"
            )
        return self._met.get(id(worker)) or self._meet(worker)

    def of_tag(self, tag: Hashable) -> Worker | None:
        """The worker for a tag, if there is one."""
        return self.by_tag.get(tag, self._otherwise)

    async def release_loop(self) -> None:
        """Let each close what is bound to the running loop; what one raises is raised once all have."""
        await self._tell_all("release_loop")

    async def async_shutdown(self) -> None:
        """Close each for good; what one raises is raised once all have."""
        await self._tell_all("async_shutdown")

    def shutdown(self) -> None:
        """Close each for good, from a thread without a running loop; what one raises is raised once all have."""
        with ExitStack() as closing:
            for worker in self._known():
                closing.callback(getattr(worker, "shutdown", _nothing))

    async def _tell_all(self, what: str) -> None:
        async with AsyncExitStack() as closing:
            for worker in self._known():
                closing.push_async_callback(told, worker, what)

    def _known(self) -> list[Worker]:
        """All that are named or were met, once each."""
        known = {id(worker): worker for worker in self.by_tag.values() if is_worker(worker)}
        return list((known | {key: worker for key, (worker, _) in list(self._met.items())}).values())

    def _meet(self, worker: Worker) -> tuple[Worker, Lane]:
        slots = worker, _lane_of(worker)
        overrides = getattr(type(worker), "on_scope_end", Worker.on_scope_end) is not Worker.on_scope_end
        hears = overrides and getattr(worker, "hears_of_ends", True)
        if self._met.setdefault(id(worker), slots) is slots:  # else another thread was faster
            self.references.append(weakref.ref(worker))
            if hears:
                self.scope_workers.append(worker)
        return slots


NOBODY = Roster({})
"""For requests that have ended."""


def _nothing() -> None:
    """What a worker without `shutdown` does at its end."""


def _lane_of(worker: Worker) -> Lane:
    """The slots of a worker, which all that use it share."""
    if not is_worker(worker):
        raise InvalidRequestError(f"a worker must have an async run_task(task), got {described(worker)}")
    owner = getattr(worker, "slot_owner", worker)  # one that is no Worker owns its own
    limit = getattr(owner, "max_concurrency", Worker.max_concurrency)
    if not isinstance(limit, int) or limit < 1:
        raise InvalidRequestError(f"max_concurrency of a worker must be at least 1, got {limit!r}")
    if not hasattr(owner, "__dict__"):
        raise InvalidRequestError(
            f"{described(owner)} has __slots__, but a worker must take attributes: leave them out"
        )
    lane: Lane = vars(owner).setdefault("_lane", Lane(limit))
    return lane
