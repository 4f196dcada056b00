"""RequestState: what becomes of a request, for whoever waits for it, and for the driver that brings it about."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from scaffolding_core.errors import ClosedError, DeadlockError, RequestCancelledError, copy_error
from scaffolding_core.messages import Usage
from scaffolding_core.results.event_stream import LOOK_AGAIN, EventStream
from scaffolding_core.results.events import Event, FinalEvent
from scaffolding_core.results.output import ScaffoldingOutput

if TYPE_CHECKING:
    from scaffolding_core.results.execution_trace import ExecutionTrace
    from scaffolding_core.results.result import ScaffoldingResult

__all__ = ["Awaiting", "RequestState"]

logger = logging.getLogger("scaffolding_core")


class Awaiting(asyncio.Future["ScaffoldingResult | None"]):
    """Waits for the end of a request; until it is cancelled it holds the result that is awaited, if any is."""

    __slots__ = ("awaited",)

    def __init__(self, loop: asyncio.AbstractEventLoop, awaited: ScaffoldingResult | None) -> None:
        super().__init__(loop=loop)
        self.awaited = awaited

    def cancel(self, msg: object = None) -> bool:
        """Cancel it, and let go of the result: with the last who holds that goes the request."""
        cancelled = super().cancel(msg)
        if cancelled and self.awaited is not None:
            self.awaited.state.left = True
            self.awaited = None
        return cancelled


class RequestState:
    """What becomes of a request. The driver holds it, and the user a `ScaffoldingResult`, which holds it too.

    Args:
        request_id: number of the request.
        usage: what is paid, as it grows.
        metadata: what the caller attached.
        cancel: stops the request; called from any thread.
        loop: that the request runs on.

    Attributes:
        left: whether an awaiter was cancelled: then the request runs on only as long as somebody holds its result
            or reads its events.
    """

    __slots__ = (
        "_cancel",
        "_finished",
        "_lock",
        "_streams",
        "_waiters",
        "done",
        "error",
        "error_seen",
        "id",
        "left",
        "loop",
        "metadata",
        "output",
        "trace",
        "usage",
    )

    def __init__(
        self,
        request_id: int,
        usage: Usage,
        metadata: dict[str, object],
        cancel: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.id = request_id
        self.metadata = metadata
        self.trace: ExecutionTrace | None = None
        self.loop = loop
        self.usage = usage
        self.output: ScaffoldingOutput | None = None
        self.error: BaseException | None = None
        self.error_seen = False
        self.done = False
        self.left = False
        self._cancel: Callable[[], None] | None = cancel
        self._lock = threading.Lock()
        self._waiters: list[Awaiting] = []
        self._finished: threading.Event | None = None
        self._streams: tuple[EventStream, ...] = ()

    def wait_ended(self, timeout: float | None = None) -> bool:
        """Block until it has finished, either way; False if that took longer than `timeout` seconds.

        Raises:
            DeadlockError: called on the loop that runs the request.
        """
        with self._lock:
            if self.done:
                return True
            if self._finished is None:
                self._finished = threading.Event()
        self._refuse_deadlock()
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not self._finished.wait(max(0.0, min(LOOK_AGAIN, end - time.monotonic()))):
            self._look()
            if not self.done and time.monotonic() >= end:
                return False
        return True

    def awaiting(self, awaited: ScaffoldingResult | None = None) -> Awaiting:
        """A future of the running loop for the end: for the result, or its error, where one is awaited."""
        loop = asyncio.get_running_loop()
        future = Awaiting(loop, awaited)
        if not self.done:
            self._waiters.append(future)
        if self.done:  # perhaps only now, on another thread: then it may be settled twice, which does no harm
            self._settle(future)
        elif loop is not self.loop:
            loop.call_later(LOOK_AGAIN, self._look_again, future)
        return future

    def cancel(self) -> None:
        """Stop the request, at the backend too; what waits for it gets a `RequestCancelledError`."""
        cancel = self._cancel
        if not self.done and cancel is not None:
            cancel()

    def dropped(self) -> None:
        """Nobody holds its result any more; called from any thread, in the midst of whatever it does."""
        if self.left and not self.done and not self._streams:
            with suppress(RuntimeError):  # the loop is closed, and so the request has ended
                self.loop.call_soon_threadsafe(self.cancel)

    def events(self) -> EventStream:
        """Events from now on, for `for` and `async for`; the last is a `FinalEvent`, or the error is raised."""
        stream = EventStream(self._refuse_deadlock, self._look)
        with self._lock:
            if not self.done:
                self._streams = (*self._streams, stream)
                return stream
        self._close_stream(stream)
        return stream

    @property
    def listened_to(self) -> bool:
        """Whether anybody reads its events."""
        return bool(self._streams)

    def push(self, event: Event) -> None:
        """Hand an event to whoever listens."""
        for stream in self._streams:
            stream.push(event)

    def finish(self, output: ScaffoldingOutput | None, error: BaseException | None = None) -> None:
        """End it, with its output or an error. Only the first end counts."""
        self._lock.acquire()  # a `with` costs twice what the lock does
        try:
            if self.done:
                return
            self.output, self.error, self.done = output, error, True
            waiters, self._waiters = self._waiters, []
            streams, self._streams = self._streams, ()
        finally:
            self._lock.release()
        self._cancel = None
        if self._finished is not None:
            self._finished.set()
        for stream in streams:
            self._close_stream(stream)
        for waiter in waiters:
            loop = waiter.get_loop()
            if loop is asyncio._get_running_loop():
                self._settle(waiter)
                continue
            with suppress(RuntimeError):  # the waiter's loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(self._settle, waiter)

    def raise_error(self) -> None:
        """Raise what it failed with, if it did."""
        if self.error is not None:
            self.error_seen = True
            raise copy_error(self.error)

    def raise_interrupt(self) -> None:
        """Raise the KeyboardInterrupt that it ended with, if it did: the user meant whoever waits."""
        if isinstance(self.error, KeyboardInterrupt):
            self.raise_error()

    def leave_to_parent(self) -> None:
        """In the child of a fork: wait for no thread that holds a lock, and wake no loop, that is not here."""
        self._lock = threading.Lock()
        self._finished = None
        self._waiters = []
        for stream in self._streams:
            stream.leave_to_parent()

    def _look(self) -> None:
        """Fail if the request's event loop was closed, and so nobody is left who would finish it."""
        if self.loop.is_closed():
            self.finish(None, ClosedError("the event loop of this request was closed while it ran"))

    def _look_again(self, waiter: Awaiting) -> None:
        self._look()
        if not (waiter.done() or self.done):
            waiter.get_loop().call_later(LOOK_AGAIN, self._look_again, waiter)

    def _settle(self, waiter: Awaiting) -> None:
        if waiter.done():
            return
        if self.error is None or waiter.awaited is None:
            waiter.set_result(waiter.awaited)
            return
        self.error_seen = True
        if isinstance(self.error, KeyboardInterrupt):  # who runs the loop has met it, and would again
            waiter.set_exception(RequestCancelledError("the request was interrupted"))
        else:
            waiter.set_exception(copy_error(self.error))

    def _close_stream(self, stream: EventStream) -> None:
        if self.output is not None:
            stream.push(FinalEvent(self.output))
        stream.close(self.raise_error)

    def _refuse_deadlock(self) -> None:
        if self.loop is asyncio._get_running_loop():
            raise DeadlockError(
                "this would block the event loop that runs the request: use 'await' or 'async for' here"
            )

    def __del__(self) -> None:
        error = getattr(self, "error", None)
        if error is not None and not self.error_seen and not isinstance(error, RequestCancelledError):
            logger.error("request %d failed and nobody asked for its result: %r", self.id, error)
