"""Call: one request that a model or Runnable of LangChain makes of its method."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any

from langchain_scaffolding.request.gate import Gate
from langchain_scaffolding.tracing.runs import Beneath, Manager, sampled_under
from scaffolding_core import Event, GenerationTask, ScaffoldingLlm, ScaffoldingResult, ScaffoldingStream

__all__ = ["Call"]


@dataclass(slots=True)
class Call:
    """One request, to be made once, in one of four ways.

    Each way takes a manager, for the samples' child runs, and whether what runs inside them shows beneath; see
    `sampled_under`.

    Args:
        llm: runs it.
        task: what is asked.
        options: of the method and the request.
        gate: what its samples wait for.
    """

    llm: ScaffoldingLlm
    task: GenerationTask
    options: dict[str, Any]
    gate: Gate | None = None
    _stream: ScaffoldingStream | None = field(default=None, init=False)

    @property
    def streamed(self) -> ScaffoldingResult:
        """The result of the request whose events are being read, or were."""
        assert self._stream is not None
        assert self._stream.result is not None
        return self._stream.result

    def start(self, manager: Manager | None, beneath: Beneath | None = None) -> ScaffoldingResult:
        """Start on the running loop; whoever starts it cancels it when nobody waits any more."""
        with sampled_under(manager, beneath, self.gate):
            return self.llm.generate_async(self.task, **self.options)

    def result(self, manager: Manager | None, beneath: Beneath | None = None) -> ScaffoldingResult:
        """Block until it has finished."""
        with sampled_under(manager, beneath, self.gate):
            result = self.llm.generate(self.task, **self.options)
        assert isinstance(result, ScaffoldingResult)
        return result

    async def aresult(self, manager: Manager | None, beneath: Beneath | None = None) -> ScaffoldingResult:
        """Wait until it has finished; cancelled with its caller."""
        result = self.start(manager, beneath)
        try:
            await result
        finally:
            result.cancel()  # nobody else waits for it
        return result

    def events(self, manager: Manager | None, beneath: Beneath | None = None) -> Generator[Event, None, None]:
        """What it tells, as it comes; closing cancels it."""
        self._stream = self.llm.stream(self.task, **self.options)
        with sampled_under(manager, beneath, self.gate):
            events = iter(self._stream)
        with closing(events):
            yield from events

    async def aevents(
        self, manager: Manager | None, beneath: Beneath | None = None
    ) -> AsyncGenerator[Event, None]:
        """As `events`."""
        self._stream = self.llm.stream(self.task, **self.options)
        with sampled_under(manager, beneath, self.gate):
            events = aiter(self._stream)
        async with aclosing(events):
            async for event in events:
                yield event
