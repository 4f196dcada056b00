"""ScaffoldingResult: the handle on a request, while it runs and afterwards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self, cast

from scaffolding_core.messages import Usage
from scaffolding_core.results.event_stream import EventStream
from scaffolding_core.results.events import Event
from scaffolding_core.results.output import ScaffoldingOutput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from scaffolding_core.results.execution_trace import ExecutionTrace
    from scaffolding_core.results.state import RequestState

__all__ = ["ScaffoldingResult"]


class ScaffoldingResult:
    """A request that runs, or has run.

    Await it any number of times, from any loop, or block on `result()` from any thread: each gets the
    finished result itself, or an exception of its own. Iterate over it, `for` or `async for`, for its
    events from now on.

    A request runs on where nobody ever awaits it, and as long as somebody awaits or keeps its result, or reads its
    events. It is cancelled, at the backend too, once its last awaiter was cancelled and nobody keeps the result:
    `async with asyncio.timeout(1): await llm.generate_async("...")` leaves no work behind.

    Args:
        state: of the request.
    """

    __slots__ = ("__weakref__", "state")

    def __init__(self, state: RequestState) -> None:
        self.state = state

    @property
    def id(self) -> int:
        """Number of the request, unique in this process."""
        return self.state.id

    @property
    def metadata(self) -> dict[str, object]:
        """What the caller attached to the request."""
        return self.state.metadata

    @property
    def trace(self) -> ExecutionTrace | None:
        """Every call of the request, if it was made with `trace=True`; grows while it runs."""
        return self.state.trace

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that runs the request."""
        return self.state.loop

    @property
    def done(self) -> bool:
        """Whether it has finished, either way."""
        return self.state.done

    @property
    def error(self) -> BaseException | None:
        """Why it failed; None while it runs and when it succeeded."""
        self.state.error_seen = True
        return self.state.error

    @property
    def output(self) -> ScaffoldingOutput:
        """The whole output.

        Raises:
            RuntimeError: it still runs.
            ScaffoldingError: it failed.
        """
        if not self.state.done:
            raise RuntimeError("the request still runs: await it, or call result()")
        self.state.raise_error()
        assert self.state.output is not None
        return self.state.output

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
        return self.state.usage

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
        self.state.raise_error()
        return self

    def wait_ended(self, timeout: float | None = None) -> bool:
        """Block until it has finished, either way; False if that took longer than `timeout` seconds.

        Raises:
            DeadlockError: called on the loop that runs the request.
        """
        return self.state.wait_ended(timeout)

    def aresult(self) -> asyncio.Future[ScaffoldingResult]:
        """A future of the running loop for the finished result; cancelling it is as cancelling an await."""
        return cast("asyncio.Future[ScaffoldingResult]", self.state.awaiting(self))  # an observer's holds None

    def __await__(self) -> Generator[object, None, ScaffoldingResult]:
        return self.aresult().__await__()

    async def ended(self) -> None:
        """Wait until it has finished, either way; raises nothing of its own."""
        await self.state.awaiting()

    def cancel(self) -> None:
        """Stop the request, at the backend too; what waits for it gets a `RequestCancelledError`."""
        self.state.cancel()

    def events(self) -> EventStream:
        """Events from now on, for `for` and `async for`; the last is a `FinalEvent`, or the error is raised."""
        return self.state.events()

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events())

    def __aiter__(self) -> AsyncIterator[Event]:
        return aiter(self.events())

    @property
    def listened_to(self) -> bool:
        """Whether anybody reads its events."""
        return self.state.listened_to

    def __del__(self) -> None:
        self.state.dropped()
