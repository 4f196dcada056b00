"""Overhead of a vote over bare `asyncio.gather`, with a worker that does nothing, in CPU time of the thread."""

import asyncio
import statistics
import time

from scaffolding_core import (
    GenerationTask,
    MajorityVoteController,
    NativeGenerationController,
    ScaffoldingLlm,
    Worker,
)

SIZES = ((1000, 1), (1000, 16), (200, 64), (5000, 8))
ROUNDS = 5
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


async def ours(requests: int, samples: int) -> float:
    method = MajorityVoteController(NativeGenerationController(), samples)
    async with ScaffoldingLlm(method, Nothing()) as llm:
        started = time.process_time()
        await asyncio.gather(*(llm.generate_async("q").aresult() for _ in range(requests)))
        return time.process_time() - started


def main() -> dict[str, object]:
    print("Overhead of a vote per sample over asyncio.gather, worker that does nothing (median ratio)")
    results: dict[str, object] = {}
    for requests, samples in SIZES:
        pairs = [
            (asyncio.run(bare(requests, samples)), asyncio.run(ours(requests, samples))) for _ in range(ROUNDS)
        ]
        ratio = statistics.median(mine / base for base, mine in pairs)
        micro = 1e6 / (requests * samples)
        base, mine = min(b for b, _ in pairs) * micro, min(m for _, m in pairs) * micro
        print(
            f"  {requests:5} requests of {samples:2}: bare {base:5.1f} us, ours {mine:5.1f} us, ratio {ratio:.2f}"
        )
        results[f"{requests}x{samples}"] = {"bare_us": base, "ours_us": mine, "ratio": ratio}
    return results
