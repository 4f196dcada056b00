"""Overhead of a vote over bare `asyncio.gather`, with a worker that does nothing, in CPU time of the thread."""

import asyncio
import gc
import statistics
import time
from collections.abc import Coroutine

from scaffolding_core import (
    Controller,
    GenerationTask,
    MajorityVoteController,
    NativeGenerationController,
    ScaffoldingLlm,
    Worker,
)

SIZES = ((1000, 1), (1000, 16), (200, 64), (5000, 8))
ROUNDS = 9
ANSWERS = ("7", "8", "9")


class Nothing(Worker):
    """Does nothing but give one of three answers after one turn of the loop."""

    def __init__(self) -> None:
        self.calls = 0

    async def run_task(self, task: GenerationTask) -> None:
        await asyncio.sleep(0)
        self.calls += 1
        task.output_str = ANSWERS[self.calls % 3]


async def bare(requests: int, samples: int) -> float:
    worker = Nothing()

    async def request() -> None:
        await asyncio.gather(*(worker.run_task(GenerationTask(input_str="q")) for _ in range(samples)))

    started = time.process_time()
    await asyncio.gather(*(request() for _ in range(requests)))
    return time.process_time() - started


class Sampling(Controller):
    """Runs the samples and looks at none: what the runtime alone costs."""

    stateless = True

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def process(self, tasks):
        copies = [tasks[0].copy() for _ in range(self.samples)]
        yield copies
        tasks[0].output_str = copies[-1].output_str


async def ours(method: Controller, requests: int) -> float:
    async with ScaffoldingLlm(method, Nothing()) as llm:
        started = time.process_time()
        await asyncio.gather(*(llm.generate_async("q").aresult() for _ in range(requests)))
        return time.process_time() - started


def timed(run: Coroutine[object, object, float]) -> float:
    gc.collect()  # each pays for its own garbage alone
    return asyncio.run(run)


def main() -> dict[str, object]:
    print(
        "Overhead per sample over asyncio.gather, with a worker that does nothing (median of side-by-side ratios)"
    )
    results: dict[str, object] = {}
    for requests, samples in SIZES:
        vote = MajorityVoteController(NativeGenerationController(), samples)
        rounds = [
            [
                timed(run)
                for run in (bare(requests, samples), ours(Sampling(samples), requests), ours(vote, requests))
            ]
            for _ in range(ROUNDS)
        ]
        micro = 1e6 / (requests * samples)
        base = min(r[0] for r in rounds) * micro
        runtime, voting = (statistics.median(r[i] / r[0] for r in rounds) for i in (1, 2))
        print(
            f"  {requests:5} requests of {samples:2}: bare {base:4.1f} us; the runtime alone {runtime:.2f}; "
            f"a vote, answers found and compared, {voting:.2f}"
        )
        results[f"{requests}x{samples}"] = {"bare_us": base, "runtime": runtime, "vote": voting}
    return results
