"""Clients of the failover bench that are made of our workers."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from scaffolding_core import NativeGenerationController, ScaffoldingLlm, UserMessage, Worker
from scaffolding_core.results import FinalEvent
from tests.servers.failover.running import Answer, Ask, Client

PROMPT = [UserMessage("Write sixty words.")]


def client_of(make: Callable[[Sequence[str]], Worker], *, routes: int, streamed: bool) -> Client:
    """A client that runs one sample, which somebody listens to or not.

    Args:
        make: the worker, of the addresses of the primary and of the secondary.
        routes: how many of them it asks at.
        streamed: somebody listens, and faults come before there is anything to hear.
    """

    @asynccontextmanager
    async def made(urls: Sequence[str]) -> AsyncIterator[Ask]:
        async with make(urls) as worker, ScaffoldingLlm(NativeGenerationController(), worker) as llm:

            async def ask() -> Answer:
                if streamed:
                    outputs = [event.output async for event in llm.stream(PROMPT) if isinstance(event, FinalEvent)]
                    output = outputs[-1]
                else:
                    output = await llm.generate_async(PROMPT)
                return Answer(output.text, None, output.usage.completion_tokens > 0)

            yield ask

    return Client(made, routes, early=streamed)
