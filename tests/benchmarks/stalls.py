"""How long the event loop stands still while a vote reads and compares long answers.

`python -m tests.benchmarks.stalls [CHARACTERS]`, 10,000,000 unless said: every extractor and every equivalence on
every text, worst first.
"""

import asyncio
import sys
import time

from scaffolding_core import FunctionWorker, MajorityVoteController, NativeGenerationController, ScaffoldingLlm
from scaffolding_core.answers import Equivalence, Extractor, Normalised, WholeText
from tests.core.controllers.test_long_answers import all_of, made

BEAT = 0.001
CHARACTERS = 10_000_000
TEXTS = {
    "words": "so it goes on, ",
    "lines": "a line\n",
    "statements": "the answer is: ",
    "numbers": "17 ",
    "digits": "1",
    "dashes": "-",
    "quotes": '"',
    "spaces": " ",
    "braces": "{}",
    "boxes": r"\boxed{",
    "brackets": "[",
    "objects": '{"answer": 7} ',
    "fences": "```\n7\n```\n",
    "thoughts": "<think>",
    "formulas": "$x+1$ ",
}
"""What each text consists of."""


async def stall(extractor: Extractor, equivalence: Equivalence, text: str) -> tuple[float, float]:
    """The longest time between two beats of the loop, and the time of the whole vote, in seconds."""
    worst, over = 0.0, asyncio.Event()

    async def beat() -> None:
        nonlocal worst
        before = time.perf_counter()
        while not over.is_set():
            await asyncio.sleep(BEAT)
            now = time.perf_counter()
            worst, before = max(worst, now - before - BEAT), now

    method = MajorityVoteController(
        NativeGenerationController(), 3, extractor=extractor, equivalence=equivalence, stop_rule="full"
    )
    async with ScaffoldingLlm(method, FunctionWorker(lambda task: text)) as llm:
        beating = asyncio.create_task(beat())
        started = time.perf_counter()
        await llm.generate_async("q")
        took = time.perf_counter() - started
        over.set()
        await beating
    return worst, took


async def measure(characters: int) -> dict[str, list[float]]:
    """Stall and time by the name of the part and the text."""
    parts = {name: (made(name), Normalised()) for name in [*all_of(Extractor), "default_extractor"]}
    parts |= {name: (WholeText(), made(name)) for name in all_of(Equivalence)}
    found = {}
    for name, pair in parts.items():
        for kind, piece in TEXTS.items():
            found[f"{name} on {kind}"] = list(await stall(*pair, piece * (characters // len(piece))))
    return found


def main(characters: int = CHARACTERS) -> dict[str, list[float]]:
    """Measure and print."""
    found = asyncio.run(measure(characters))
    print(f"stall of the loop while a vote of 3 reads {characters:,} characters, seconds (of the whole vote):")
    for name, (worst, took) in sorted(found.items(), key=lambda item: -item[1][0])[:20]:
        print(f"  {name:32} {worst:7.3f} ({took:.2f})")
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CHARACTERS)
