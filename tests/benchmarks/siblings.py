"""Votes whose samples share requests: a lossless vote beside a full one, on a real engine.

`python -m tests.benchmarks.siblings [URL]`; without a URL on the embedded model. Answers that agree settle a vote
early, the sooner the more their lengths differ; answers that all differ never do. A lossless vote should be faster
and cheaper for the former, and no slower for the latter. Each vote has a question of its own, so that none has its
prompt read by an earlier one.
"""

import asyncio
import itertools
import sys
import time
from dataclasses import dataclass

from scaffolding_core import (
    LocalWorker,
    MajorityVoteController,
    NativeChatController,
    OpenAIWorker,
    ScaffoldingLlm,
    Usage,
    UserMessage,
)
from scaffolding_core.answers import FromFunction

ALONE = (8, 16)
"""Samples of a vote that has the engine to itself."""
BUSY, VOTES_AT_ONCE = (16, 32), 4
"""Samples of votes that share it."""
ROUNDS = 3
STORY = "Once there was a small harbour town whose clock had stopped at noon, and nobody dared to mend it. " * 12

FULL, LOSSLESS, APART = "full", "lossless", "lossless, a request each"


@dataclass(frozen=True)
class Kind:
    """What is sampled: the longest answer, and what it votes for."""

    name: str
    max_tokens: int
    extractor: FromFunction


KINDS = (
    Kind("agree", 256, FromFunction(lambda text: "the same")),
    Kind("differ", 64, FromFunction(lambda text: text)),
)

numbers = itertools.count(1)


@dataclass(frozen=True)
class Cost:
    """Of one or several votes."""

    seconds: float
    usage: Usage


def question() -> list[UserMessage]:
    """One that nobody asked before."""
    return [UserMessage(f"Case {next(numbers)}. {STORY} What happened next? Tell it in a few sentences.")]


async def votes(worker: OpenAIWorker, rule: str, kind: Kind, samples: int, count: int) -> Cost:
    """The cost of votes at once."""
    generation = NativeChatController({"max_tokens": kind.max_tokens, "temperature": 1.0})
    method = MajorityVoteController(generation, samples, extractor=kind.extractor, stop_rule=rule)
    usage = Usage()
    async with ScaffoldingLlm(method, worker) as llm:
        began = time.perf_counter()
        for result in [llm.generate_async(question()) for _ in range(count)]:
            usage.add((await result).usage)
        return Cost(time.perf_counter() - began, usage)


async def compare(
    shared: OpenAIWorker, apart: OpenAIWorker, kind: Kind, samples: int, count: int
) -> dict[str, Cost]:
    """The costs of each way to vote: those of the round of median time, where each way has its turn in each."""
    ways = {FULL: (shared, "full"), LOSSLESS: (shared, "lossless"), APART: (apart, "lossless")}
    rounds: dict[str, list[Cost]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, (worker, rule) in ways.items():
            rounds[way].append(await votes(worker, rule, kind, samples, count))
    return {way: sorted(costs, key=lambda cost: cost.seconds)[ROUNDS // 2] for way, costs in rounds.items()}


def report(title: str, costs: dict[str, Cost]) -> dict[str, float]:
    """Print the costs of each way, beside those of a full vote; returns the ratios of time."""
    ratios = {way: cost.seconds / costs[FULL].seconds for way, cost in costs.items()}
    print(title)
    for way, cost in costs.items():
        usage = cost.usage
        print(
            f"  {way:25} {cost.seconds:6.2f} s = {ratios[way]:4.2f}; tokens read {usage.prompt_tokens:5}, "
            f"cached {usage.cached_tokens:5}, written {usage.completion_tokens:5}; calls {usage.calls}, "
            f"of unknown cost {usage.lost_calls}"
        )
    return ratios


async def measure(shared: OpenAIWorker, apart: OpenAIWorker) -> dict[str, dict[str, float]]:
    """All figures of one engine."""
    results = {}
    await votes(shared, "full", KINDS[0], 4, 1)  # it warms up
    cases = [(samples, 1) for samples in ALONE] + [(samples, VOTES_AT_ONCE) for samples in BUSY]
    for (samples, count), kind in itertools.product(cases, KINDS):
        title = f"{count} x {samples} samples that {kind.name}"
        results[title] = report(title, await compare(shared, apart, kind, samples, count))
    return results


async def on_server(url: str) -> dict[str, dict[str, float]]:
    """The figures of a server at an address."""
    async with OpenAIWorker(url) as shared, OpenAIWorker(url, siblings=1) as apart:
        return await measure(shared, apart)


async def embedded() -> dict[str, dict[str, float]]:
    """The figures of the embedded model."""
    async with LocalWorker() as shared:
        shared.start()
        async with OpenAIWorker(shared.base_url, siblings=1, max_concurrency=shared.n_parallel) as apart:
            return await measure(shared, apart)


def main(url: str | None = None) -> dict[str, dict[str, float]]:
    """Measure and print."""
    return asyncio.run(embedded() if url is None else on_server(url))


if __name__ == "__main__":
    main(*sys.argv[1:])
