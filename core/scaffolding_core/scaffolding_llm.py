"""ScaffoldingLlm: one method, its workers, and many requests at once."""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Generator, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Self, overload

from scaffolding_core.answers.process_pool import end_idle_processes
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.driver import Driver, Lane, OwnLoop, Request, Roster, check_needs, current_request
from scaffolding_core.driver.order import Order, described, option_names, order_of, steps_of
from scaffolding_core.errors import ClosedError, DeadlockError, InvalidRequestError
from scaffolding_core.results import Event, EventStream, ScaffoldingOutput, ScaffoldingResult
from scaffolding_core.tasks import GenerationTask, Prompt
from scaffolding_core.worker import Worker, called_synchronously

__all__ = ["ScaffoldingLlm", "ScaffoldingStream"]


class ScaffoldingLlm:
    """Runs a method on workers, for many requests at once.

    From async code a request runs on the caller's event loop; a blocking call runs on a loop of this
    object's own, in a daemon thread, so it works inside a running loop (Jupyter) too.

    Every request takes the same options beside its prompt:

    - sampling parameters (`temperature`, `max_tokens`, `stop`, `seed`, ...) and the method's own options
      (`sample_num`, ...), by name;
    - `budget`: a `Budget`; `deadline`: a time on `time.monotonic()`'s clock. When one ends a request, the
      method returns its best answer so far, marked `stopped="budget"`;
    - `priority`: higher goes first; a point jumps a bounded number of places, so nothing starves;
    - `metadata`: kept on the result;
    - `trace`: True records every call in the result's `trace`.

    Args:
        prototype_controller: the method; each request gets its own clone.
        workers: workers by tag, or one worker for every tag. They stay the caller's: they are closed with
            this object only by `shutdown(shutdown_workers=True)`.
        max_parallel_requests: requests at once, over all loops; further ones queue.
        options: of each request that gives none of its own: `budget`, `seed`, ...

    Raises:
        InvalidRequestError: no controller, no worker, a limit below 1, unknown options, or a method that needs
            what its worker says it cannot do.
    """

    def __init__(
        self,
        prototype_controller: Controller,
        workers: Mapping[Hashable, Worker] | Worker,
        max_parallel_requests: int = 64,
        *,
        options: Mapping[str, object] | None = None,
    ) -> None:
        if not isinstance(prototype_controller, Controller):
            raise InvalidRequestError(
                f"the method must be a Controller instance, got {described(prototype_controller)}"
            )
        self._admission = Lane(1)
        self.max_parallel_requests = max_parallel_requests
        self.prototype_controller = prototype_controller
        self._roster = Roster(workers)
        check_needs(prototype_controller, self._roster.of_tag)
        self._options = option_names(prototype_controller)
        self._given = dict(options or {})
        if options:
            self._order("-", {})  # which refuses what no request takes
        self._stateless = prototype_controller.clone() is prototype_controller
        self._lock = threading.RLock()
        self._drivers: dict[asyncio.AbstractEventLoop, Driver] = {}
        self._own_loop: OwnLoop | None = None
        self._dropped: weakref.finalize[..., ScaffoldingLlm] | None = None
        self._closed = False
        _instances.add(self)

    @property
    def workers(self) -> dict[Hashable, Worker]:
        """The workers by tag; empty where one does all. A change holds from the next task on."""
        return self._roster.by_tag

    @workers.setter
    def workers(self, workers: Mapping[Hashable, Worker]) -> None:
        self._roster.by_tag = dict(workers)

    @property
    def max_parallel_requests(self) -> int:
        """Requests at once. A change holds from the next request on.

        Raises:
            InvalidRequestError: set to less than 1.
        """
        return self._admission.limit

    @max_parallel_requests.setter
    def max_parallel_requests(self, limit: int) -> None:
        if not isinstance(limit, int) or limit < 1:
            raise InvalidRequestError(f"max_parallel_requests must be at least 1, got {limit!r}")
        self._admission.limit = limit

    # Requests.

    @overload
    def generate(self, prompts: str, **options: object) -> ScaffoldingResult: ...
    @overload
    def generate(self, prompts: list[str], **options: object) -> list[ScaffoldingResult]: ...
    @overload
    def generate(
        self, prompts: Prompt | Sequence[Prompt], **options: object
    ) -> ScaffoldingResult | list[ScaffoldingResult]: ...

    def generate(
        self, prompts: Prompt | Sequence[Prompt], **options: object
    ) -> ScaffoldingResult | list[ScaffoldingResult]:
        """Run one prompt, or many at once, and block until all have finished.

        Args:
            prompts: a text, a chat as a list of messages, or a list of such prompts.
            options: see the class.

        Returns:
            The finished result; for a list, a result for each prompt. One that failed keeps the others
            whole: it raises its error when its output is read, and has it in `error`.

        Raises:
            InvalidRequestError: an empty prompt, an unknown option, ...: before anything runs.
            ScaffoldingError: the one request failed.
        """
        if not _is_many(prompts):
            order = self._order(prompts, options)  # type: ignore[arg-type]  # not many: one
            return self._run([order])[0].result()
        return self._run([self._order(prompt, options) for prompt in prompts])  # type: ignore[arg-type,union-attr]  # many

    def generate_async(self, prompt: Prompt, **options: object) -> ScaffoldingResult:
        """Start one prompt and return at once; the result can be awaited, iterated and cancelled.

        Inside a running loop the request runs on it, elsewhere on this object's own loop.

        Args:
            prompt: a text, or a chat as a list of messages.
            options: see the class.

        Raises:
            InvalidRequestError: an empty prompt, an unknown option, ...: before anything runs.
        """
        loop = asyncio._get_running_loop()
        order = self._order(prompt, options)
        request = self._request(order, self._blocking_driver() if loop is None else self._driver_of(loop))
        self._submit(request)
        return self._result(request)

    def stream(self, prompt: Prompt, **options: object) -> ScaffoldingStream:
        """Run one prompt and iterate over its events, with `for` or `async for`, from the very first.

        Leaving the loop early cancels the request.

        Args:
            prompt: a text, or a chat as a list of messages.
            options: see the class.

        Raises:
            InvalidRequestError: an empty prompt, an unknown option, ...: before anything runs.
        """
        return ScaffoldingStream(self, self._order(prompt, options))

    def takes(self, option: str) -> bool:
        """Whether the method has an option of that name."""
        return self._options is not None and option in self._options

    # The end.

    def shutdown(self, shutdown_workers: bool = False) -> None:
        """Refuse new requests, let running ones finish, and close what was opened.

        On a loop that runs requests of its own it cannot wait: those are cancelled. Use `aclose()` there.

        Args:
            shutdown_workers: close the workers too.

        Raises:
            DeadlockError: called by a part of a running request of its own; nothing is closed.
        """
        self._refuse_own_parts()
        self._closed = True
        self._sweep()
        running = asyncio._get_running_loop()
        for loop, driver in list(self._drivers.items()):
            for request in list(driver.requests):
                if loop is running:
                    request.cancel(ClosedError("the ScaffoldingLlm was shut down while the request ran"))
                elif not loop.is_closed():
                    request.state.wait_ended()
        try:
            self._end()
        finally:
            if shutdown_workers:
                self._roster.shutdown()

    async def aclose(self, shutdown_workers: bool = False) -> None:
        """Refuse new requests, let running ones finish, and close what was opened.

        Args:
            shutdown_workers: close the workers too.

        Raises:
            DeadlockError: called by a part of a running request of its own; nothing is closed.
        """
        self._refuse_own_parts()
        self._closed = True
        self._sweep()
        loop = asyncio.get_running_loop()
        for other, driver in list(self._drivers.items()):
            if other is loop:
                await driver.drained()
                continue
            for request in list(driver.requests):
                await request.state.awaiting()
        try:
            await asyncio.to_thread(self._end)
        finally:
            with self._lock:
                self._drivers.pop(loop, None)
            await (self._roster.async_shutdown() if shutdown_workers else self._roster.release_loop())

    @property
    def runs_caller(self) -> bool:
        """Whether the caller is part of a request of this object, and so would wait for itself."""
        around = current_request.get()
        while around is not None:
            if any(around in driver.requests for driver in list(self._drivers.values())):
                return True
            around = around.parent
        return False

    def _refuse_own_parts(self) -> None:
        """Refuse to wait for who calls."""
        on_own_loop = self._own_loop is not None and self._own_loop.is_current()
        if on_own_loop or self.runs_caller:
            raise DeadlockError(
                "closing a ScaffoldingLlm from inside one of its own requests would wait for itself: close it "
                "where no request of it runs"
            )

    @property
    def runs_here(self) -> bool:
        """Whether requests run on the running event loop, which a caller who blocks would hold up."""
        here = self._drivers.get(loop) if (loop := asyncio._get_running_loop()) is not None else None
        return here is not None and bool(here.requests)

    def cancel_all(self) -> None:
        """Cancel every request that runs."""
        for driver in list(self._drivers.values()):
            for request in list(driver.requests):
                request.state.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object = None, *exc_info: object) -> None:
        if exc_type is not None:
            self.cancel_all()
        self.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: object = None, *exc_info: object) -> None:
        if exc_type is not None:
            self.cancel_all()
        await self.aclose()

    # How a request is made.

    def _order(self, prompt: Prompt, options: Mapping[str, object]) -> Order:
        given = self._given
        if isinstance(prompt, GenerationTask) and prompt.seed is not None:
            given = {name: value for name, value in given.items() if name != "seed"}
        return order_of(prompt, {**given, **options}, self.prototype_controller, self._options)

    def _begin(self, request: Request) -> Steps[ScaffoldingOutput]:
        controller = self.prototype_controller if self._stateless else self.prototype_controller.clone()
        return steps_of(request.order, controller)

    def _request(self, order: Order, driver: Driver) -> Request:
        deadline = order.deadline
        if deadline is not None:
            deadline += driver.loop.time() - time.monotonic()
        running = asyncio._get_running_loop()
        blocked = self._drivers.get(running) if running not in (None, driver.loop) else None
        request = Request(driver, order, self._begin, self._roster, deadline, blocked)
        synchronous = self._own_loop is not None and driver.loop is self._own_loop.loop
        if synchronous is not called_synchronously.get():
            request.context.run(called_synchronously.set, synchronous)
        return request

    def _submit(self, request: Request) -> None:
        if self._closed:
            raise ClosedError("this ScaffoldingLlm is closed: make a new one")
        request.driver.requests.add(request)  # before it is on its loop, which may end first
        request.driver.call_from_anywhere(request.submit)

    def _result(self, request: Request) -> ScaffoldingResult:
        return ScaffoldingResult(request.state)

    def _run(self, orders: list[Order]) -> list[ScaffoldingResult]:
        """Block until all have finished."""
        driver = self._blocking_driver()
        requests = [self._request(order, driver) for order in orders]
        for request in requests:
            self._submit(request)
        return self._block([self._result(request) for request in requests])

    def _block(self, results: list[ScaffoldingResult]) -> list[ScaffoldingResult]:
        try:
            for result in results:
                result.wait_ended()
                result.state.raise_interrupt()
        except BaseException:  # KeyboardInterrupt above all: nobody waits for them any more
            for result in results:
                result.cancel()
            raise
        return results

    # Loops and workers.

    def _blocking_driver(self) -> Driver:
        with self._lock:
            if self._closed:
                raise ClosedError("this ScaffoldingLlm is closed: make a new one")
            if self._own_loop is None:
                own = self._own_loop = OwnLoop()
                workers = self._roster.references  # the workers may hold this object
                self._dropped = weakref.finalize(self, _end_soon, own, self._driver_of(own.loop), workers)
                _end_all_at_exit()
            if self._own_loop.is_current():
                raise DeadlockError(
                    "a blocking call from inside this ScaffoldingLlm's own loop would wait for itself: "
                    "use 'await llm.generate_async(...)' there"
                )
            return self._driver_of(self._own_loop.loop)

    def _driver_of(self, loop: asyncio.AbstractEventLoop) -> Driver:
        driver = self._drivers.get(loop)
        if driver is None:
            with self._lock:
                self._sweep()
                driver = self._drivers[loop] = Driver(loop, self._admission)
        return driver

    def _sweep(self) -> None:
        """Fail what ran on loops that were closed, and free the slots it held."""
        with self._lock:
            gone = [loop for loop in list(self._drivers) if loop.is_closed()]
            for driver in map(self._drivers.pop, gone):
                driver.abandon()
                for lane in (self._admission, *self._roster.lanes):
                    lane.forget(driver)

    def _end(self) -> None:
        """End what runs beside the callers' loops."""
        self._stop_own_loop()
        if all(llm._closed for llm in list(_instances)):
            end_idle_processes()

    def _stop_own_loop(self) -> None:
        with self._lock:
            own, self._own_loop = self._own_loop, None
        if own is None:
            return
        driver = self._drivers.pop(own.loop, None)
        try:
            if driver is not None:
                own.run(driver.drained())
            own.run(self._roster.release_loop())
        finally:
            own.stop()

    def _at_exit(self) -> None:
        """The program ends: cancel what runs on the own loop, which nobody else could wait for."""
        own = self._own_loop
        if own is None:
            return
        self.cancel_all()
        ending = threading.Thread(target=self._stop_own_loop, daemon=True)
        with suppress(RuntimeError):  # Python 3.12.0 and 3.12.1 start no thread so late
            ending.start()
            ending.join(EXIT_GRACE)

    def _after_fork(self) -> None:
        """In a forked child: the parent's threads and loops are not here."""
        self._lock = threading.RLock()
        drivers, self._drivers, self._own_loop = self._drivers, {}, None
        if self._dropped is not None:
            self._dropped.detach()
        for driver in drivers.values():
            driver.leave_to_parent()


class ScaffoldingStream:
    """The events of one request, with `for` or `async for`; it starts when the iteration does.

    Attributes:
        result: the request's result; None before the iteration starts.
    """

    def __init__(self, llm: ScaffoldingLlm, order: Order) -> None:
        self._llm = llm
        self._order = order
        self.result: ScaffoldingResult | None = None

    def _start(self, driver: Driver) -> EventStream:
        if self.result is not None:
            raise InvalidRequestError("a stream can be iterated over only once: call stream() again")
        request = self._llm._request(self._order, driver)
        events = request.state.events()
        self._llm._submit(request)
        self.result = self._llm._result(request)
        return events

    def __iter__(self) -> Generator[Event, None, None]:
        return self._read(self._start(self._llm._blocking_driver()))

    def __aiter__(self) -> AsyncGenerator[Event, None]:
        return self._aread(self._start(self._llm._driver_of(asyncio.get_running_loop())))

    def _read(self, events: EventStream) -> Generator[Event, None, None]:
        try:
            yield from events
        finally:
            self._stop()

    async def _aread(self, events: EventStream) -> AsyncGenerator[Event, None]:
        try:
            async for event in events:
                yield event
        finally:
            self._stop()

    def _stop(self) -> None:
        if self.result is not None:
            self.result.cancel()


EXIT_GRACE = 2.0
"""Seconds that the end of a program may wait for its cancelled requests."""

_instances: weakref.WeakSet[ScaffoldingLlm] = weakref.WeakSet()


def _end_soon(own: OwnLoop, driver: Driver, workers: list[weakref.ref[Worker]]) -> None:
    """End the own loop of a ScaffoldingLlm that was dropped, with what its workers keep there."""

    async def end() -> None:
        try:
            await driver.drained()
            left = [worker for reference in workers if (worker := reference()) is not None]
            await Roster(dict(enumerate(left))).release_loop()
        finally:
            own.stop_soon()

    ending = end()
    try:
        asyncio.run_coroutine_threadsafe(ending, own.loop)
    except RuntimeError:  # it was ended already
        ending.close()


@functools.cache
def _end_all_at_exit() -> None:
    atexit.register(_at_exit)  # so late that it runs before workers end their servers


def _at_exit() -> None:
    for llm in list(_instances):
        llm._at_exit()


def _after_fork() -> None:
    for llm in list(_instances):
        llm._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _is_many(prompts: object) -> bool:
    """Whether this is a list of prompts; a list of messages is one."""
    return isinstance(prompts, list | tuple) and bool(prompts) and isinstance(prompts[0], str | list | tuple)
