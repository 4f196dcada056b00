"""How much of its prompts a pool finds in the caches of its replicas: sticky by prefix, against the least loaded.

`python -m tests.benchmarks.pool_routing`: two embedded servers, and questions about documents in a mixed order.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from scaffolding_core import (
    LocalWorker,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    Task,
    Usage,
    Worker,
    WorkerPool,
)

DOCUMENTS, QUESTIONS, AT_ONCE, WRITTEN = 8, 4, 2, 16
LINE = "Once there was a small harbour town whose clock had stopped at noon, and nobody dared to mend it. "


class LeastLoaded(Worker):
    """A pool that looks at nothing but the load."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._workers = [OpenAIWorker(url) for url in urls]
        self._loads = [0] * len(urls)

    async def run_task(self, task: Task) -> object:
        place = self._loads.index(min(self._loads))
        self._loads[place] += 1
        try:
            return await self._workers[place].run_task(task)
        finally:
            self._loads[place] -= 1

    async def async_shutdown(self) -> None:
        for worker in self._workers:
            await worker.async_shutdown()


@dataclass(frozen=True)
class Cost:
    """Of all questions."""

    seconds: float
    usage: Usage

    def __str__(self) -> str:
        cached, prompts = self.usage.cached_tokens, self.usage.prompt_tokens
        speed = self.usage.completion_tokens / self.seconds
        return f"{cached:6} of {prompts} tokens of prompts cached ({cached / prompts:4.0%}), {speed:5.1f} tokens/s"


def prompts(first: int) -> list[str]:
    """Questions about documents that no server has read, in a mixed order."""
    asked = [
        f"Document {first + document}. {LINE * 26}\nQuestion {question}: what is missing here?"
        for document in range(DOCUMENTS)
        for question in range(QUESTIONS)
    ]
    random.Random(7).shuffle(asked)
    return asked


async def cost_of(worker: Worker, asked: Sequence[str]) -> Cost:
    """What it costs to have all answered, some at once."""
    generation = NativeGenerationController({"max_tokens": WRITTEN, "temperature": 0.0, "ignore_eos": True})
    usage, began = Usage(), time.perf_counter()
    async with worker, ScaffoldingLlm(generation, worker, max_parallel_requests=AT_ONCE) as llm:
        for result in [llm.generate_async(prompt) for prompt in asked]:
            usage.add((await result).usage)
    return Cost(time.perf_counter() - began, usage)


async def measured() -> dict[str, Cost]:
    """Both ways on the same two servers, each with documents of its own."""
    with LocalWorker() as first, LocalWorker() as second:
        for server in (first, second):
            server.start()
        urls = [first.base_url, second.base_url]
        return {
            "least loaded": await cost_of(LeastLoaded(urls), prompts(100)),
            "sticky by prefix": await cost_of(WorkerPool(urls, hedge_after=None), prompts(200)),
        }


def main() -> dict[str, Cost]:
    """Measure and print."""
    costs = asyncio.run(measured())
    for way, cost in costs.items():
        print(f"{way:17} {cost}")
    return costs


if __name__ == "__main__":
    main()
