"""Keeper: what a pool does besides calls: it probes replicas, follows their list, and closes them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress

from scaffolding_core.errors import BackendUnavailableError, InvalidRequestError, ScaffoldingError, WorkerError
from scaffolding_core.worker import told
from scaffolding_core.workers.pool.board import Board
from scaffolding_core.workers.pool.members import Members
from scaffolding_core.workers.pool.membership import Membership
from scaffolding_core.workers.pool.replica import Replica

__all__ = ["Keeper"]

logger = logging.getLogger("scaffolding_core")

_LONGEST_PROBE = 5.0


class Keeper:
    """Looks after the replicas of a pool; its tasks end with their event loop's use of it.

    Args:
        board: of the pool.

    Attributes:
        membership: where their addresses stand, if they are followed.
    """

    def __init__(self, board: Board) -> None:
        self.membership: Membership | None = None
        self._board = board
        self._removed: list[Replica] = []
        self._tasks: dict[asyncio.AbstractEventLoop, set[asyncio.Task[None]]] = {}
        self._look_at = float("-inf")
        self._followed: dict[str, Replica] | None = None

    # Probes.

    def probe(self, replica: Replica) -> None:
        """Look whether a replica is there, meanwhile."""
        self._meanwhile(self._probe(replica))

    async def _probe(self, replica: Replica) -> None:
        try:
            async with asyncio.timeout(_LONGEST_PROBE):
                await told(replica.worker, "check_health")
        except asyncio.CancelledError:  # its loop has done with the pool, and another may use it
            self._board.changed(replica.breaker.probe_cut)
            raise
        except Exception as error:
            words = str(error) or f"no answer within {_LONGEST_PROBE:g} s"

            def fail() -> None:
                replica.breaker.probe_failed(time.monotonic())
                replica.last_failure = words

            self._board.changed(fail)
        else:
            self._board.probe_passed(replica)

    # Members.

    async def look_for_members(self, members: Members) -> None:
        """Follow the list of replicas, if there is one and it is time; the first time is waited for.

        Raises:
            WorkerError: the first time it cannot be read.
        """
        if self.membership is None or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + self.membership.every
        if self._followed is None:
            self._followed = {replica.name: replica for replica in self._board.replicas}
            try:
                await self._follow(self.membership, members)
            except BaseException:
                self._followed, self._look_at = None, float("-inf")
                raise
        else:
            self._meanwhile(self._follow_quietly(self.membership, members))

    async def _follow_quietly(self, membership: Membership, members: Members) -> None:
        with suppress(ScaffoldingError):  # the replicas of before are still there
            await self._follow(membership, members)

    async def _follow(self, membership: Membership, members: Members) -> None:
        addresses = await membership.read()
        if not addresses or self._followed is None:  # a file without any is being written
            return
        named = {address.rstrip("/"): address for address in addresses}
        for address in named.keys() - self._followed.keys():
            try:
                replica = members.one_of(named[address], self._board.replicas)
            except InvalidRequestError as error:
                logger.warning("a replica is left out, correct its address: %s", error)
                named.pop(address)
                continue
            self._followed[address] = replica
            self._board.add(replica)
        gone_from_it = self._followed.keys() - named.keys() if named else ()  # none is right: those of before stay
        for address in gone_from_it:
            gone = self._followed.pop(address)
            self._board.remove(gone)
            self.removed(gone)

    # The end.

    def removed(self, replica: Replica) -> None:
        """A replica was taken out, and may run something still: it is closed with the pool."""
        if replica.owned:
            self._removed.append(replica)

    async def dismiss(self, replica: Replica) -> None:
        """Close a replica that runs nothing, if it is the pool's own."""
        if replica.owned:
            await told(replica.worker, "async_shutdown")

    async def first_that_does(self, what: str) -> None:
        """Have the first replica that can do something.

        Raises:
            WorkerError: none can.
        """
        last: WorkerError | None = None
        for replica in sorted(self._board.replicas, key=lambda replica: not replica.breaker.allows):
            try:
                await told(replica.worker, what)
            except WorkerError as error:
                last = error
            else:
                return
        raise last or BackendUnavailableError("the pool has no replicas: add one")

    async def tell_all(self, what: str, *about: object) -> None:
        """Let each replica do something; one that fails harms no other.

        Raises:
            Exception: what the first that failed has raised.
        """
        replicas = [*self._board.replicas, *self._removed]
        ended = await asyncio.gather(
            *(told(replica.worker, what, *about) for replica in replicas), return_exceptions=True
        )
        for outcome in ended:
            if isinstance(outcome, BaseException):
                raise outcome

    async def release_loop(self) -> None:
        """End what runs on the running loop, and let each replica close what it keeps there."""
        tasks = self._tasks.pop(asyncio.get_running_loop(), set())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.tell_all("release_loop")

    async def aclose(self) -> None:
        """Close all replicas."""
        await self.release_loop()
        self._cancel_all()
        await self.tell_all("async_shutdown")

    def close(self) -> None:
        """Close all replicas, from a thread without a running loop."""
        self._cancel_all()
        for replica in [*self._board.replicas, *self._removed]:
            close = getattr(replica.worker, "shutdown", None)
            if close is not None:
                close()

    def _cancel_all(self) -> None:
        for loop, tasks in list(self._tasks.items()):
            for task in list(tasks):
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(task.cancel)

    def _meanwhile(self, work: Coroutine[object, object, None]) -> None:
        loop = asyncio.get_running_loop()
        tasks = self._tasks.setdefault(loop, set())
        task: asyncio.Task[None] = loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        loop = task.get_loop()
        tasks = self._tasks.get(loop, set())
        tasks.discard(task)
        if not tasks:  # a loop that is gone is kept by nobody
            self._tasks.pop(loop, None)
