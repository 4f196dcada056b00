"""Call: one request that a model of another library makes of its method."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AbstractContextManager, aclosing, closing, nullcontext
from dataclasses import dataclass, field
from typing import cast

from scaffolding_core.results import Event, ScaffoldingResult
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tasks import GenerationTask

__all__ = ["Call"]


@dataclass(slots=True)
class Call:
    """One request, to be made once, in one of five ways.

    Args:
        llm: runs it.
        task: what is asked.
        options: of the method and the request.
        around: what it is started in, such as the tracing of its samples; they inherit the context.
    """

    llm: ScaffoldingLlm
    task: GenerationTask
    options: Mapping[str, object]
    around: AbstractContextManager[None] = field(default_factory=nullcontext)
    _streamed: ScaffoldingResult | None = field(default=None, init=False)

    @property
    def streamed(self) -> ScaffoldingResult:
        """The result of the request whose events are being read, or were."""
        assert self._streamed is not None
        return self._streamed

    def result(self) -> ScaffoldingResult:
        """Block until it has finished."""
        with self.around:
            return cast("ScaffoldingResult", self.llm.generate(self.task, **self.options))  # of one prompt

    def start(self) -> ScaffoldingResult:
        """Start on the running loop; whoever starts it cancels it when nobody waits any more."""
        with self.around:
            return self.llm.generate_async(self.task, **self.options)

    async def aresult(self) -> ScaffoldingResult:
        """Wait until it has finished; cancelled with its caller."""
        result = self.start()
        try:
            await result
        finally:
            result.cancel()  # nobody else waits for it
        return result

    def events(self) -> Generator[Event, None, None]:
        """What it tells, as it comes; it starts at once, and closing or dropping them cancels it."""
        stream = self.llm.stream(self.task, **self.options)
        with self.around:
            events = iter(stream)
        self._streamed = stream.result
        reading = _read(events, self.streamed)
        next(reading)
        return cast("Generator[Event, None, None]", reading)

    async def aevents(self) -> AsyncGenerator[Event, None]:
        """As `events`, on the running loop."""
        stream = self.llm.stream(self.task, **self.options)
        with self.around:
            events = aiter(stream)
        self._streamed = stream.result
        reading = _aread(events, self.streamed)
        await anext(reading)
        return cast("AsyncGenerator[Event, None]", reading)


def _read(events: Generator[Event, None, None], result: ScaffoldingResult) -> Generator[Event | None, None, None]:
    try:
        yield None  # only a generator that has begun cancels when it is dropped
        with closing(events):
            yield from events
    finally:
        result.cancel()


async def _aread(
    events: AsyncGenerator[Event, None], result: ScaffoldingResult
) -> AsyncGenerator[Event | None, None]:
    try:
        yield None  # as above
        async with aclosing(events):
            async for event in events:
                yield event
    finally:
        result.cancel()
