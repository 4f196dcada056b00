"""Driver: steps the generators of all requests on one event loop.

Nothing is stepped anywhere but in `_drain`, so no generator is ever re-entered and no step recurses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, TypeVarTuple, Unpack

from scaffolding_core.controller import method_error
from scaffolding_core.errors import ClosedError

if TYPE_CHECKING:
    from scaffolding_core.driver.item import Item
    from scaffolding_core.driver.lane import Lane
    from scaffolding_core.driver.request import Request

__all__ = ["Driver"]

Given = TypeVarTuple("Given")

STEPS_PER_TICK = 64
"""Steps before the loop may breathe."""


class Driver:
    """Steps the generators of one event loop's requests.

    Args:
        loop: where it steps them.
        admission: slots for requests.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, admission: Lane) -> None:
        self.loop = loop
        self.admission = admission
        self.create_task = _task_maker(loop)
        self.empty_context = Context()
        self.past_context = Context()  # for what is left of a request that ended
        self.requests: set[Request] = set()
        self.detached: set[asyncio.Task[object]] = set()
        self._ready: deque[Item] = deque()
        self._scheduled = False
        self._owned: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._idle: asyncio.Future[None] | None = None  # what the watch waits for

    def post(self, item: Item) -> None:
        """Let an item advance in the next tick; called on the loop."""
        self._ready.append(item)
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._drain, context=self.empty_context)

    def post_behind(self, item: Item) -> None:
        """As `post`, but whatever else the loop has to do comes first."""
        self.loop.call_soon(self.post, item, context=self.empty_context)

    def call_from_anywhere(self, function: Callable[[Unpack[Given]], None], *given: *Given) -> None:
        """Call a function on the loop: at once if this is it, soon if not, never if it is closed."""
        if asyncio._get_running_loop() is self.loop:
            function(*given)
            return
        try:
            self.loop.call_soon_threadsafe(function, *given, context=self.empty_context)
        except RuntimeError:  # the loop is closed, and its requests were failed or will be swept
            return

    def own(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run a coroutine to its end, as a task that shutdown waits for."""
        task = self.create_task(work)
        self._owned.add(task)
        task.add_done_callback(self._owned.discard)
        return task

    def watch(self) -> None:
        """While there are requests, keep a task on the loop that nobody but the loop's teardown cancels."""
        if self._watch is None or self._watch.done():
            self._idle = self.loop.create_future()
            self._watch = asyncio.Task(_until(self._idle), loop=self.loop, context=Context())

    def leave(self, request: Request) -> None:
        """A request has ended."""
        self.requests.discard(request)
        if not self.requests and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def notice_teardown(self) -> None:
        """A call was cancelled from outside: if all of the loop is, that is torn down, and every request ends."""
        if all(task.cancelling() for task in asyncio.all_tasks(self.loop)):
            for request in list(self.requests):
                request.cancel(ClosedError("the event loop was shut down while the request ran"))

    def abandon(self) -> None:
        """The loop is closed: fail what was in flight, from any thread."""
        for request in list(self.requests):
            request.abandon(ClosedError("the event loop was closed while the request ran"))
        self.requests.clear()

    def leave_to_parent(self) -> None:
        """In the child of a fork: fail what was in flight, whatever threads that are not here were about to do."""
        for request in list(self.requests):
            request.state.leave_to_parent()
        self.abandon()

    async def drained(self) -> None:
        """Wait until nothing of ours is left on the loop: no request, no cut call still unwinding."""
        while self.requests or self._owned or self.detached:
            for request in list(self.requests):
                await request.state.awaiting()
            if self._owned or self.detached:
                await asyncio.wait([*self._owned, *self.detached])
            await asyncio.sleep(0)

    def _drain(self) -> None:
        ready = self._ready
        for _ in range(STEPS_PER_TICK):
            if not ready:
                self._scheduled = False
                return
            item = ready.popleft()
            try:
                item.request.context.run(_advance, item)
            except BaseException as error:  # only the request whose parts brought it about may suffer
                interrupted = isinstance(error, KeyboardInterrupt)  # the user's wish, wherever it came up
                item.request.fail(error if interrupted else method_error(error))
                if interrupted:
                    self.loop.call_soon(self._drain, context=self.empty_context)
                    raise
        self.loop.call_soon(self._drain, context=self.empty_context)


async def _until(idle: asyncio.Future[None]) -> None:
    await idle


def _task_maker(
    loop: asyncio.AbstractEventLoop,
) -> Callable[[Coroutine[object, object, None]], asyncio.Task[None]]:
    """`loop.create_task`, or what it comes to where neither the loop nor a factory makes tasks of another kind."""
    if type(loop).create_task is not asyncio.BaseEventLoop.create_task or loop.get_task_factory() is not None:
        return loop.create_task
    return lambda work: asyncio.Task(work, loop=loop)  # by name each time: nest_asyncio puts another in its place


def _advance(item: Item | None) -> None:
    while item is not None:
        item = item.advance()
