"""Clients of the failover bench that are made of our workers."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from scaffolding_core import NativeGenerationController, ScaffoldingLlm, UserMessage, Worker
from scaffolding_core.results import Hints
from tests.servers.failover.running import Answer, Ask, Client

PROMPT = [UserMessage("Write sixty words.")]


def client_of(make: Callable[[Sequence[str]], Worker], *, routes: int, streamed: bool) -> Client:
    """A client that runs one sample, which somebody listens to or not.

    Args:
        make: the worker, of the addresses of the primary and of the secondary.
        routes: how many of them it asks at.
        streamed: somebody listens; where there is another route, faults come before there is anything to hear.
    """

    @asynccontextmanager
    async def made(urls: Sequence[str]) -> AsyncIterator[Ask]:
        async with make(urls) as worker, ScaffoldingLlm(NativeGenerationController(), worker) as llm:

            async def ask() -> Answer:
                result = llm.generate_async(PROMPT, trace=True)
                if streamed:
                    async for _ in result:  # which is to listen
                        pass
                output, call = await result, result.trace.calls[-1]
                return Answer(output.text, _replica(call.hints), output.usage.completion_tokens > 0)

            yield ask

    return Client(made, routes, early=streamed and routes > 1)


def _replica(hints: Hints | None) -> str | None:
    """Which of several answered, as the trace names it."""
    return None if hints is None else hints.replica
