"""ScaffoldingResult: the handle on a request, while it runs and afterwards."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from scaffolding_core.errors import ClosedError, DeadlockError, RequestCancelledError, copy_error
from scaffolding_core.messages import Usage
from scaffolding_core.results.event_stream import LOOK_AGAIN, EventStream
from scaffolding_core.results.events import Event, FinalEvent
from scaffolding_core.results.output import ScaffoldingOutput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from scaffolding_core.trace import ExecutionTrace

__all__ = ["ScaffoldingResult"]

logger = logging.getLogger("scaffolding_core")


class ScaffoldingResult:
    """A request that runs, or has run.

    Await it any number of times, from any loop, or block on `result()` from any thread: each gets the
    finished result itself, or an exception of its own. Iterate over it, `for` or `async for`, for its
    events from now on.

    Attributes:
        id: number of the request, unique in this process.
        metadata: what the caller attached to the request.
        trace: every call of the request, if it was made with `trace=True`; grows while it runs.
        task_collections: the method's task collections by name, once
            `ScaffoldingLlm.enable_output_task_collection()` asked for them.
    """

    __slots__ = (
        "__weakref__",
        "_cancel",
        "_done",
        "_error",
        "_error_seen",
        "_finished",
        "_lock",
        "_output",
        "_streams",
        "_usage",
        "_waiters",
        "id",
        "loop",
        "metadata",
        "task_collections",
        "trace",
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
        self.task_collections: Mapping[str, object] = {}
        self.loop = loop
        self._cancel: Callable[[], None] | None = cancel
        self._lock = threading.Lock()
        self._usage = usage
        self._output: ScaffoldingOutput | None = None
        self._error: BaseException | None = None
        self._error_seen = False
        self._done = False
        self._waiters: list[asyncio.Future[ScaffoldingResult]] = []
        self._finished: threading.Event | None = None
        self._streams: tuple[EventStream, ...] = ()

    @property
    def done(self) -> bool:
        """Whether it has finished, either way."""
        return self._done

    @property
    def error(self) -> BaseException | None:
        """Why it failed; None while it runs and when it succeeded."""
        self._error_seen = True
        return self._error

    @property
    def output(self) -> ScaffoldingOutput:
        """The whole output.

        Raises:
            RuntimeError: it still runs.
            ScaffoldingError: it failed.
        """
        if not self._done:
            raise RuntimeError("the request still runs: await it, or call result()")
        self._raise_error()
        assert self._output is not None
        return self._output

    @property
    def outputs(self) -> list[ScaffoldingOutput]:
        """The output in a list of one, as TensorRT-LLM's results have it."""
        return [self.output]

    @property
    def text(self) -> str:
        """The text of the answer."""
        return self.output.text

    @property
    def usage(self) -> Usage:
        """All that was paid, also by a request that failed; still growing while it runs."""
        return self._usage

    def result(self, timeout: float | None = None) -> Self:
        """Block until it has finished.

        Args:
            timeout: seconds; None waits as long as it takes. A timeout does not cancel the request.

        Raises:
            TimeoutError: it has not finished in time.
            DeadlockError: called on the loop that runs the request.
            ScaffoldingError: it failed.
        """
        if not self.wait_ended(timeout):
            raise TimeoutError(f"the request has not finished within {timeout} s")
        self._raise_error()
        return self

    def wait_ended(self, timeout: float | None = None) -> bool:
        """Block until it has finished, either way; False if that took longer than `timeout` seconds.

        Raises:
            DeadlockError: called on the loop that runs the request.
        """
        with self._lock:
            if self._done:
                return True
            if self._finished is None:
                self._finished = threading.Event()
        self._refuse_deadlock()
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not self._finished.wait(max(0.0, min(LOOK_AGAIN, end - time.monotonic()))):
            self._look()
            if not self._done and time.monotonic() >= end:
                return False
        return True

    def aresult(self) -> asyncio.Future[ScaffoldingResult]:
        """A future of the running loop for the finished result; cancelling it leaves the request alone."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ScaffoldingResult] = loop.create_future()
        if not self._done:
            self._waiters.append(future)
        if self._done:  # perhaps only now, on another thread: then it may be settled twice, which does no harm
            self._settle(future)
        elif loop is not self.loop:
            loop.call_later(LOOK_AGAIN, self._look_again, future)
        return future

    def __await__(self) -> Generator[object, None, ScaffoldingResult]:
        return self.aresult().__await__()

    async def ended(self) -> None:
        """Wait until it has finished, either way; raises nothing of its own."""
        future = self.aresult()
        future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # else asyncio complains
        await asyncio.wait([future])

    def cancel(self) -> None:
        """Stop the request, at the backend too; what waits for it gets a `RequestCancelledError`."""
        if not self._done and self._cancel is not None:
            self._cancel()

    def events(self) -> EventStream:
        """Events from now on, for `for` and `async for`; the last is a `FinalEvent`, or the error is raised."""
        stream = EventStream(self._refuse_deadlock, self._look)
        with self._lock:
            if not self._done:
                self._streams = (*self._streams, stream)
                return stream
        self._close_stream(stream)
        return stream

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events())

    def __aiter__(self) -> AsyncIterator[Event]:
        return aiter(self.events())

    @property
    def listened_to(self) -> bool:
        """Whether anybody reads its events."""
        return bool(self._streams)

    def push(self, event: Event) -> None:
        """Hand an event to whoever listens; called by the driver."""
        for stream in self._streams:
            stream.push(event)

    def finish(self, output: ScaffoldingOutput | None, error: BaseException | None = None) -> None:
        """End it, with its output or an error; called by the driver. Only the first end counts."""
        self._lock.acquire()  # a `with` costs twice what the lock does
        try:
            if self._done:
                return
            self._output, self._error, self._done = output, error, True
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

    def _look_again(self, waiter: asyncio.Future[ScaffoldingResult]) -> None:
        self._look()
        if not (waiter.done() or self._done):
            waiter.get_loop().call_later(LOOK_AGAIN, self._look_again, waiter)

    def _settle(self, waiter: asyncio.Future[ScaffoldingResult]) -> None:
        if waiter.done():
            return
        if self._error is None:
            waiter.set_result(self)
        else:
            self._error_seen = True
            waiter.set_exception(copy_error(self._error))

    def _close_stream(self, stream: EventStream) -> None:
        if self._output is not None:
            stream.push(FinalEvent(self._output))
        stream.close(self._raise_error)

    def _raise_error(self) -> None:
        if self._error is not None:
            self._error_seen = True
            raise copy_error(self._error)

    def _refuse_deadlock(self) -> None:
        if self.loop is asyncio._get_running_loop():
            raise DeadlockError(
                "this would block the event loop that runs the request: use 'await' or 'async for' here"
            )

    def __del__(self) -> None:
        error = getattr(self, "_error", None)
        if error is not None and not self._error_seen and not isinstance(error, RequestCancelledError):
            logger.error("request %d failed and nobody asked for its result: %r", self.id, error)
