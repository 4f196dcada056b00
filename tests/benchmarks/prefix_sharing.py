"""How often the prompt of a vote is read: once by the samples that share it, else once by each.

`python -m tests.benchmarks.prefix_sharing [URL]`; without a URL on the embedded model. What is read of a prompt is
what the server counts as prompt and not as cached. Each vote has a prompt of its own, some 600 tokens long.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scaffolding_core import (
    GenerationTask,
    LocalWorker,
    MajorityVoteController,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    Usage,
)
from scaffolding_core.answers import FromFunction

SAMPLES, WRITTEN = 16, 16
STORY = "Once there was a small harbour town whose clock had stopped at noon, and nobody dared to mend it. " * 26

TOGETHER, AHEAD, AT_ONCE, UNCACHED = "one request", "the first ahead", "all at once", "all at once, no cache"

_numbers = itertools.count(int(time.time()))  # no earlier run has had its prompt


@dataclass(frozen=True)
class Cost:
    """Of one vote."""

    seconds: float
    usage: Usage

    @property
    def read(self) -> int:
        """Tokens of prompts that the server had to read."""
        return self.usage.prompt_tokens - self.usage.cached_tokens


class Apart(NativeGenerationController):
    """Each sample has a cache of its own, as vLLM lets it."""

    def process(self, tasks: list[GenerationTask], **options: object) -> Iterator[list[GenerationTask]]:
        for task in tasks:
            task.cache_salt = str(next(_numbers))
        yield from super().process(tasks, **options)


async def vote(worker: OpenAIWorker, inner: type[NativeGenerationController] = NativeGenerationController) -> Cost:
    """The cost of a vote on a prompt that nobody had before."""
    generation = inner({"max_tokens": WRITTEN, "temperature": 1.0, "ignore_eos": True})
    method = MajorityVoteController(generation, SAMPLES, extractor=FromFunction(str), stop_rule="full")
    async with ScaffoldingLlm(method, worker) as llm:
        began = time.perf_counter()
        result = await llm.generate_async(f"Case {next(_numbers)}. {STORY}")
        return Cost(time.perf_counter() - began, result.usage)


def report(costs: Mapping[str, Cost]) -> None:
    """Print the costs of each way."""
    prompt = costs[TOGETHER].usage.prompt_tokens  # counted once for all that share a request
    for way, cost in costs.items():
        print(
            f"{way:22} {cost.usage.calls:3} requests, {cost.usage.lost_calls} of unknown cost, "
            f"{cost.usage.prompt_tokens:6} tokens of prompts, "
            f"{cost.usage.cached_tokens:6} cached: read {cost.read:6} = {cost.read / prompt:5.1f} prompts, "
            f"{cost.seconds:6.2f} s"
        )


async def on_server(url: str) -> dict[str, Cost]:
    """The figures of a server that shares what it has read, and takes `cache_salt`, as vLLM does."""
    async with (
        OpenAIWorker(url) as together,
        OpenAIWorker(url, siblings=1) as ahead,
        OpenAIWorker(url, siblings=1, prefill_first=False, accepts=["cache_salt"]) as apart,
    ):
        await vote(together)  # it warms up
        return {
            TOGETHER: await vote(together),
            AHEAD: await vote(ahead),
            AT_ONCE: await vote(apart),
            UNCACHED: await vote(apart, Apart),
        }


async def embedded() -> dict[str, Cost]:
    """The figures of the embedded model: llama.cpp shares what it has read within a request alone."""
    async with LocalWorker() as together:
        together.start()
        url, uncached = together.base_url, {"cache_prompt": False}
        async with OpenAIWorker(url, siblings=1, extra_body=uncached, headers_timeout=600.0) as apart:
            return {TOGETHER: await vote(together), UNCACHED: await vote(apart)}


def main(url: str | None = None) -> Mapping[str, Cost]:
    """Measure and print."""
    costs = asyncio.run(embedded() if url is None else on_server(url))
    report(costs)
    return costs


if __name__ == "__main__":
    main(*sys.argv[1:])
