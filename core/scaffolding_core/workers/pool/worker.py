"""WorkerPool: several replicas of one role."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from functools import partial
from typing import Any
from weakref import WeakSet

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import BackendTimeoutError, ClosedError, InvalidRequestError
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.results import Hints
from scaffolding_core.tasks import StreamGenerationTask, Task, run_in_steps
from scaffolding_core.worker import Worker, retried_elsewhere
from scaffolding_core.workers.limits import check_counts, check_seconds
from scaffolding_core.workers.openai import OpenAIWorker
from scaffolding_core.workers.pool.admission import Admission
from scaffolding_core.workers.pool.board import Board
from scaffolding_core.workers.pool.hedging import Hedged
from scaffolding_core.workers.pool.keeper import Keeper
from scaffolding_core.workers.pool.members import Keys, Members
from scaffolding_core.workers.pool.membership import DnsMembership, FileMembership, Membership
from scaffolding_core.workers.pool.replica import Replica
from scaffolding_core.workers.pool.run import Run, is_copied
from scaffolding_core.workers.pool.sample import Sample
from scaffolding_core.workers.pool.stream import PooledStream
from scaffolding_core.workers.pool.verdict import all_failed, is_final
from scaffolding_core.workers.stepping import step

__all__ = ["WorkerPool"]

_IDLE = 30.0
"""Seconds between two pieces of an answer, at most: another replica can begin anew."""


class WorkerPool(Worker):
    """Runs each task on one of several replicas, and on another where that one fails.

    A task goes to the replica with the least outstanding work; one whose prompt begins as an earlier one's goes
    where that one went, where its KV cache is. A replica that refuses connections is left at once, one that fails
    otherwise after some failures in a row; it is asked again once a request that costs no tokens has passed,
    and then one call. One that asks to wait, by `Retry-After`, is left alone by all. What no replica can answer
    (400, a prompt that is too long or withheld) is not tried elsewhere; what one cannot do is asked of another.
    A sample of which nobody has seen text starts anew at another replica; one that was seen fails. How many
    requests a replica takes at once is learned from its 429s.

    Cost: what failed and cut attempts have cost is in the task's usage. Without failures, one asyncio task a call;
    with another replica at hand, answers are streamed on the wire, so that their first token is seen.

    Args:
        replicas: addresses, each of which gets an `OpenAIWorker` of the pool's own, and workers, as many as there
            are; their own retries are off inside the pool.
        model: asked for at the addresses; None takes the first that each lists.
        api_key: of the addresses: one for all, one for each in their order, or by address.
        max_concurrency: tasks at once, over all replicas and event loops.
        max_attempts: attempts for each task, over all replicas, the first included. One that reached no server
            does not count.
        max_failures: failures of a replica in a row that take it out; a refused connection does so at once.
        sticky_factor: a replica keeps its prompts until it has so many times the calls of the least busy one,
            taken for 8 if it has fewer.
        hedge_after: seconds without a first token after which another replica is asked too, if one is idle; None
            never asks two.
        patience: seconds to wait for a replica while none is up; a request's deadline may end it sooner.
        timeout: seconds for a task, over all attempts; the request's own deadline holds too.
        requests_per_minute: of all that use the pool, each sample being one; None for any number.
        tokens_per_minute: read and written, of all that use the pool; None for any number.
        options: for the `OpenAIWorker` of each address; `idle_timeout` is 30 s unless said.

    Raises:
        InvalidRequestError: no replicas, what is no replica, or a number out of range.

    Example::

        pool = WorkerPool(["http://a:8000/v1", "http://b:8000/v1"], "model")
        llm = ScaffoldingLlm(MajorityVoteController(), pool)
    """

    def __init__(
        self,
        replicas: Sequence[str | Worker],
        model: str | None = None,
        *,
        api_key: Keys = None,
        max_concurrency: int = 1024,
        max_attempts: int = 4,
        max_failures: int = 3,
        sticky_factor: float = 2.0,
        hedge_after: float | None = 8.0,
        patience: float = 30.0,
        timeout: float | None = None,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        **options: Any,  # Any: what OpenAIWorker takes
    ) -> None:
        check_counts(
            max_concurrency=max_concurrency,
            max_attempts=max_attempts,
            max_failures=max_failures,
            requests_per_minute=1 if requests_per_minute is None else requests_per_minute,
            tokens_per_minute=1 if tokens_per_minute is None else tokens_per_minute,
        )
        check_seconds(
            patience=patience,
            hedge_after=1 if hedge_after is None else hedge_after,
            timeout=1 if timeout is None else timeout,
        )
        if isinstance(replicas, str) or not replicas:
            raise InvalidRequestError(f"WorkerPool needs a list of addresses or workers, got {replicas!r}")
        if not isinstance(sticky_factor, int | float) or not sticky_factor >= 1:
            raise InvalidRequestError(f"sticky_factor must be at least 1, got {sticky_factor!r}")
        self.max_concurrency = max_concurrency
        self.max_attempts = max_attempts
        self.hedge_after = hedge_after
        self.timeout = timeout
        make = partial(_openai_worker, model=model, options={"idle_timeout": _IDLE, **options})
        self._members = Members(make, api_key, max_failures, options if model is None else ["model", *options])
        self._sticky_factor, self._patience = sticky_factor, patience
        self._a_minute = requests_per_minute, tokens_per_minute
        self._membership: Membership | None = None
        self._closed = False
        self._start_afresh(self._members.all_of(replicas))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], model: str | None = None, **options: Any) -> WorkerPool:
        """A pool of the addresses in a file, one a line, which is read again when it changes.

        Args:
            path: of the file; empty lines, and what follows a `#`, are left out.
            model: as for a pool.
            options: as for a pool.

        Raises:
            InvalidRequestError: it cannot be read, or names none.
        """
        membership = FileMembership(path)
        pool = cls(membership.addresses(), model, **options)  # Any: what the pool takes
        pool._follow(membership)
        return pool

    @classmethod
    def from_dns(
        cls,
        host: str,
        port: int,
        model: str | None = None,
        *,
        scheme: str = "http",
        path: str = "/v1",
        **options: Any,
    ) -> WorkerPool:
        """A pool of the addresses that a name has, which is resolved anew each 30 s.

        Args:
            host: the name, such as that of a headless service; the pool starts with the name itself.
            port: of each server.
            model: as for a pool.
            scheme: `http`, or `https` where the servers' certificates are good for their addresses.
            path: of each server.
            options: as for a pool.
        """
        membership = DnsMembership(host, port, scheme, path)
        pool = cls([f"{scheme}://{host}:{port}{path}"], model, **options)  # Any: what the pool takes
        pool._follow(membership)
        return pool

    def __repr__(self) -> str:
        return f"WorkerPool({[replica.name for replica in self.replicas]!r})"

    def __getstate__(self) -> dict[str, object]:
        kept = {name: value for name, value in super().__getstate__().items() if name not in _OF_THIS_PROCESS}
        return {**kept, "_replicas": self.replicas}

    def __setstate__(self, state: dict[str, Any]) -> None:
        replicas = state.pop("_replicas")
        self.__dict__.update(state)
        self._start_afresh(replicas)

    # Its replicas.

    @property
    def replicas(self) -> list[Replica]:
        """Each one's state, what it runs, and what it failed with last."""
        return self._board.replicas

    def add(self, replica: str | Worker) -> Replica:
        """Take a replica in: an address, or a worker.

        Raises:
            InvalidRequestError: it is neither.
        """
        made = self._members.one_of(replica, self.replicas)
        self._board.add(made)
        return made

    async def drain(self, replica: str | Worker | Replica) -> None:
        """Give a replica no more tasks, wait until those that it runs have ended, and take it out.

        Raises:
            InvalidRequestError: it is not in the pool.
        """
        drained = self._board.find(replica)
        await self._board.drain(drained)
        await self._keeper.dismiss(drained)

    def remove(self, replica: str | Worker | Replica) -> None:
        """Take a replica out at once; what it runs goes on.

        Raises:
            InvalidRequestError: it is not in the pool.
        """
        removed = self._board.find(replica)
        self._board.remove(removed)
        self._keeper.removed(removed)

    # As a worker.

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # of the replicas
        """What all replicas can do; nothing is known if nothing is known of one."""
        all_of = [getattr(replica.worker, "capabilities", Worker.capabilities) for replica in self.replicas]
        if not all_of or any(each is Worker.capabilities for each in all_of):
            return Worker.capabilities
        return Capabilities(
            logprobs=all(each.logprobs for each in all_of),
            tools=all(each.tools for each in all_of),
            streaming=all(each.streaming for each in all_of),
            siblings=min(each.siblings for each in all_of),
            token_prompts=all(each.token_prompts for each in all_of),
        )

    @property
    def model_info(self) -> ModelInfo:  # type: ignore[override]  # of the replicas
        """The model's name at the first replica that knows it, and the smallest context window."""
        all_of = [getattr(replica.worker, "model_info", Worker.model_info) for replica in self.replicas]
        names = [each.name for each in all_of if each.name is not None]
        windows = [each.context_window for each in all_of if each.context_window is not None]
        return ModelInfo(name=names[0] if names else None, context_window=min(windows, default=None))

    @property
    def hears_of_ends(self) -> bool:  # type: ignore[override]  # of the replicas
        """Whether a replica has something to do when a request ends."""
        return any(getattr(replica.worker, "hears_of_ends", True) for replica in self.replicas)

    async def learn_model(self) -> None:
        """Ask the first replica that answers.

        Raises:
            WorkerError: none does.
        """
        await self._keeper.first_that_does("learn_model")

    async def check_health(self) -> None:
        """Ask whether a replica is there.

        Raises:
            WorkerError: none is.
        """
        await self._keeper.first_that_does("check_health")

    async def on_scope_end(self, scope_id: str) -> None:
        """Tell each replica."""
        await self._keeper.tell_all("on_scope_end", scope_id)

    async def release_loop(self) -> None:
        """Let each replica close what it keeps for the running loop."""
        await self._keeper.release_loop()

    async def async_shutdown(self) -> None:
        """Close all replicas."""
        self._close()
        await self._keeper.aclose()

    def shutdown(self) -> None:
        """Close all replicas, from a thread without a running loop."""
        self._close()
        self._keeper.close()

    def _close(self) -> None:
        """Let nobody wait any more."""
        self._closed = True
        self._board.close()
        if self._admission is not None:
            self._admission.close()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise ClosedError(f"{self!r} is closed: make a new one")

    async def run_task(self, task: Task) -> None:
        """Run a task on a replica, and on another where it fails.

        Raises:
            ClosedError: the pool is closed.
            WorkerError: no replica answered; the error is of the last failure's kind, and names each one's.
        """
        self._refuse_if_closed()
        if run_in_steps(task):
            await step(task, partial(self._step, task))
        else:
            await self._bounded(task)

    async def _step(self, task: StreamGenerationTask) -> None:
        if isinstance(task.request_handle, PooledStream):
            await task.request_handle.read_on(task)
            return
        run, sample = await self._bounded(task)
        if run_in_steps(run.task) and run.task is not task:
            stream = PooledStream(run.replica.worker, run.task, sample.usage.since(run.usage))
            stream.hand_on(task)
            task.request_handle = stream

    async def _bounded(self, task: Task) -> tuple[Run, Sample]:
        loop = asyncio.get_running_loop()
        deadline = task.scope.deadline if task.scope is not None else None
        own = None if self.timeout is None else loop.time() + self.timeout
        sample = Sample(task, min((end for end in (deadline, own) if end is not None), default=None))
        try:
            async with asyncio.timeout_at(own):
                await self._keeper.look_for_members(self._members)
                if self._admission is None:
                    await self._answer(sample)
                else:
                    async with self._admission.admitted(sample):
                        await self._answer(sample)
        except TimeoutError as error:
            raise BackendTimeoutError(
                f"no replica answered within {self.timeout:g} s: allow more time, or ask for less",
                attempts=max(1, sample.attempts),
            ) from error
        finally:
            task.usage = sample.usage
        assert sample.answered_by is not None
        return sample.answered_by, sample

    async def _answer(self, sample: Sample) -> None:
        """Try one replica after the other; in another pool, it is that one's budget and patience that hold."""
        most = 1 if retried_elsewhere.get() else self.max_attempts
        sample.patience = 0.0 if retried_elsewhere.get() else self._patience
        while True:
            replica = await self._board.place(sample, self._keeper.probe)
            sample.attempts += 1
            first = self._run(sample, replica)
            hedged = Hedged(
                first,
                partial(self._start, sample),
                partial(self._second, sample),
                self._hedge_after(sample),
                self._board.began,
            )
            try:
                await hedged.answer()
            except Exception as error:
                if sample.shown or is_final(error) or self._closed:
                    raise
                if sample.attempts >= most:
                    raise all_failed(error, sample.failures, sample.attempts) from error
            else:
                sample.answered_by = hedged.leader
                return
            finally:
                _hand_on(hedged.leader or first, sample.task)

    def _hedge_after(self, sample: Sample) -> float | None:
        copied = is_copied(sample.task) and not run_in_steps(sample.task) and sample.task.scope is not None
        hedged = copied and len(self.replicas) > 1 and not retried_elsewhere.get()
        return self.hedge_after if hedged else None

    def _run(self, sample: Sample, replica: Replica) -> Run:
        return Run(replica, sample.task, watched=self._hedge_after(sample) is not None)

    def _second(self, sample: Sample) -> Run | None:
        if sample.attempts >= self.max_attempts:
            return None
        replica = self._board.idle_one(sample)
        if replica is None:
            return None
        sample.attempts += 1
        return self._run(sample, replica)

    def _start(self, sample: Sample, run: Run) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(run.go())
        # A callback, since a task that is cancelled before its first step runs no `finally`.
        task.add_done_callback(partial(self._board.over, sample, run, time.monotonic()))
        return task

    def _follow(self, membership: Membership) -> None:
        self._membership = membership
        self._keeper.membership = membership

    def _start_afresh(self, replicas: Sequence[Replica]) -> None:
        """Begin with nothing running: in a new pool, a copy, or the child of a fork."""
        self._board = Board(replicas, self._sticky_factor)
        self._keeper = Keeper(self._board)
        self._keeper.membership = self._membership
        limited = self._a_minute != (None, None)
        self._admission = Admission(*self._a_minute, self._refuse_if_closed) if limited else None
        _all.add(self)


_OF_THIS_PROCESS = ("_admission", "_board", "_keeper")
_all: WeakSet[WorkerPool] = WeakSet()


def _hand_on(run: Run, task: Task) -> None:
    """Let the task have what a run has brought, all or a part, and say where it ran."""
    if run.task is not task:
        task.take_results(run.task)
        task.hints = run.task.hints
    hints = task.hints or Hints()
    task.hints = Hints(hints.sent, hints.dropped, run.replica.name)


def _openai_worker(
    address: str, api_key: str | None, *, model: str | None, options: dict[str, Any]
) -> OpenAIWorker:
    return OpenAIWorker(address, model, api_key=api_key, **options)


def _leave_all_to_parent() -> None:
    for pool in list(_all):
        pool._start_afresh([replica.anew() for replica in pool.replicas])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)
