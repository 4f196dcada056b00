"""What each client is worth under the sixteen faults of the public Failover Bench; takes some two minutes.

`python -m tests.benchmarks.failover [CLIENT ...]`: all that are below unless some are named. That it
judges as the public one does is seen by the openai package (published: 6/0/10/0) and by
LangChain's `with_fallbacks` (9/3/4/0).
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from scaffolding_core import OpenAIWorker, Worker, WorkerPool
from tests.servers.failover.faults import FAULTS
from tests.servers.failover.judge import Verdict, counted
from tests.servers.failover.ours import client_of
from tests.servers.failover.running import Answer, Ask, Client, verdicts

SILENCE = 30.0
"""Seconds for which the other clients wait for anything; their own default is 600."""

QUESTION = "Write sixty words."


@asynccontextmanager
async def openai_package(urls: Sequence[str]) -> AsyncIterator[Ask]:
    """The openai package, which knows one address."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=urls[0], api_key="none", timeout=SILENCE) as client:

        async def ask() -> Answer:
            stream = await client.chat.completions.create(
                model="bench",
                messages=[{"role": "user", "content": QUESTION}],
                stream=True,
                stream_options={"include_usage": True},
            )
            text, usage, model = "", False, None
            async for chunk in stream:
                text += "".join([choice.delta.content or "" for choice in chunk.choices])
                usage, model = usage or chunk.usage is not None, chunk.model
            return Answer(text, model, usage)

        yield ask


@asynccontextmanager
async def langchain_fallbacks(urls: Sequence[str]) -> AsyncIterator[Ask]:
    """LangChain's `with_fallbacks` over one of its models for each address."""
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    key = SecretStr("none")
    first, *others = [
        ChatOpenAI(model="bench", base_url=url, api_key=key, timeout=SILENCE, stream_usage=True) for url in urls
    ]
    chain = first.with_fallbacks(others)

    async def ask() -> Answer:
        chunks = [chunk async for chunk in chain.astream(QUESTION)]
        models = [chunk.response_metadata.get("model_name") for chunk in chunks]
        text = "".join([str(chunk.content) for chunk in chunks])
        named = next((model for model in models if model), None)
        return Answer(text, named, any(getattr(chunk, "usage_metadata", None) for chunk in chunks))

    yield ask


def one_worker(urls: Sequence[str]) -> Worker:
    """A worker of the primary alone."""
    return OpenAIWorker(urls[0], "bench")


def a_pool(urls: Sequence[str]) -> Worker:
    """A pool of both, as it is by default."""
    return WorkerPool(urls, "bench")


CLIENTS = {
    "worker": client_of(one_worker, routes=1, streamed=False),
    "worker, streamed": client_of(one_worker, routes=1, streamed=True),
    "pool": client_of(a_pool, routes=2, streamed=False),
    "pool, streamed": client_of(a_pool, routes=2, streamed=True),
    "openai": Client(openai_package),
    "langchain": Client(langchain_fallbacks, routes=2),
}
"""Clients by name."""


async def table(names: Sequence[str]) -> dict[str, dict[str, Verdict]]:
    """The verdicts of each client, all at once."""
    told = await asyncio.gather(*[verdicts(CLIENTS[name]) for name in names])
    return dict(zip(names, told, strict=True))


def main(names: Sequence[str] = ()) -> dict[str, dict[str, Verdict]]:
    """Print the table; returns it."""
    told = asyncio.run(table(names or list(CLIENTS)))
    print(f"{'':34}" + "".join([f"{name:>18}" for name in told]))
    for fault in FAULTS:
        print(f"{fault.name} {fault.what:30}" + "".join([f"{told[name][fault.name]:>18}" for name in told]))
    print(f"{'pass/partial/safe/fail':34}" + "".join([f"{counted(each.values()):>18}" for each in told.values()]))
    return told


if __name__ == "__main__":
    main(sys.argv[1:])
