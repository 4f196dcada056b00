"""From a loop to a blocking call, and from a blocking caller to a loop, each in a thread of its own."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import ParamSpec, TypeVar

__all__ = ["Abandoned", "on_abandoned", "run_in_thread", "wait_for"]

LINGERING_SECONDS = 0.2
"""Time that a thread waits for another call: to start one costs half as much as a small call of a model."""

P = ParamSpec("P")
T = TypeVar("T")

_waiting: list[SimpleQueue[Callable[[], None]]] = []


class Abandoned(Exception):  # no error: it ends a call that nobody waits for
    """Nobody waits any more for the call that runs in this thread."""


class _Call:
    """What a thread does for somebody who may give it up."""

    def __init__(self) -> None:
        self.abandoned = False
        self.reactions: list[Callable[[], None]] = []
        self.lock = threading.Lock()

    def abandon(self) -> None:
        with self.lock:  # held while it reacts: what has left `on_abandoned` must not be ended any more
            self.abandoned = True
            for react in self.reactions:
                react()


_call: contextvars.ContextVar[_Call | None] = contextvars.ContextVar("_call", default=None)


@contextmanager
def on_abandoned(react: Callable[[], None]) -> Iterator[None]:
    """While this is open, `react` is called, in another thread, as soon as nobody waits for this call any more.

    Args:
        react: ends what this thread waits for; called at most once, and must not block.

    Raises:
        Abandoned: nobody waits already, or does when it is left.
    """
    call = _call.get()
    if call is None:
        yield
        return
    with call.lock:
        if call.abandoned:
            raise Abandoned
        call.reactions.append(react)
    try:
        yield
    finally:
        with call.lock:
            call.reactions.remove(react)
    if call.abandoned:
        raise Abandoned


async def run_in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a blocking function in a thread that nobody else uses meanwhile, with the caller's context.

    A bounded pool would run many calls a few at a time. A thread cannot be stopped: if the await is cancelled, the
    call runs to its end and its result is dropped, unless it waits for something that `on_abandoned` ends.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()
    its = _Call()
    context.run(_call.set, its)

    def settle(settled: Callable[[], None]) -> None:
        if not done.done():
            settled()

    def call() -> None:
        settled: Callable[[], None]
        try:
            value = context.run(function, *args, **kwargs)
            settled = lambda: done.set_result(value)  # noqa: E731
        except BaseException as error:
            raised = _for_a_future(error)
            settled = lambda: done.set_exception(raised)  # noqa: E731
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, settled)

    _call_soon(call)
    try:
        return await done
    except asyncio.CancelledError:
        its.abandon()
        raise


def _for_a_future(error: BaseException) -> BaseException:
    """The error as a future takes it: it refuses a StopIteration."""
    if not isinstance(error, StopIteration):
        return error
    stopped = RuntimeError("the call stopped early")
    stopped.__cause__ = error
    return stopped


def wait_for(work: Callable[[], Coroutine[object, object, T]], seconds: float) -> T:
    """Run async work on a new loop in a thread, and block for its result; an event loop here is held up meanwhile.

    Cost: a thread and a loop, about a millisecond.

    Raises:
        TimeoutError: it took longer; it is cancelled.
    """
    done: Future[T] = Future()

    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            return await work()

    def call() -> None:
        try:
            with asyncio.Runner() as runner:  # nest_asyncio changes asyncio.run(), which then needs a loop here
                value = runner.run(bounded())
            done.set_result(value)
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=call, name="scaffolding-wait", daemon=True).start()
    return done.result(seconds)  # also where the work cannot be cancelled, as a look-up of a host's name


def _call_soon(work: Callable[[], None]) -> None:
    """Run work in a thread that waits for some, or in a new one; it has begun when this returns."""
    begun = threading.Lock()  # so calls begin in the order in which they are made
    begun.acquire()

    def begin() -> None:
        begun.release()
        work()

    try:
        waiting = _waiting.pop()
    except IndexError:
        waiting = SimpleQueue()
        threading.Thread(target=_serve, args=(waiting,), name="scaffolding-call", daemon=True).start()
    waiting.put(begin)
    begun.acquire()


def _serve(mine: SimpleQueue[Callable[[], None]]) -> None:
    """Do what comes, until nothing does for a while."""
    mine.get()()
    while True:
        _waiting.append(mine)
        try:
            mine.get(timeout=LINGERING_SECONDS)()
        except Empty:
            try:
                _waiting.remove(mine)
                return
            except ValueError:  # somebody has just taken it
                mine.get()()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_waiting.clear)  # the threads stay with the parent
