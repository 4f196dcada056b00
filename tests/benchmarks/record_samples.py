"""Records 40 samples of the embedded model for 40 questions: `python -m tests.benchmarks.record_samples`."""

import asyncio
import json
import random
import re
from pathlib import Path

from scaffolding_core import LocalWorker, MajorityVoteController, NativeChatController, ScaffoldingLlm

SAMPLES, QUESTIONS = 40, 40
FILE = Path(__file__).with_name("recorded_samples.json")
STORY = "Tom buys {} packs of {} cards. How many cards is that?"
SHOTS = [(3, 4), (2, 9), (7, 5), (8, 8), (6, 3), (4, 9)]


def chat(packs: int, cards: int) -> list[dict[str, str]]:
    messages = []
    for a, b in SHOTS:
        messages.append({"role": "user", "content": STORY.format(a, b)})
        messages.append({"role": "assistant", "content": f"{a} * {b} = {a * b}"})
    return [*messages, {"role": "user", "content": STORY.format(packs, cards)}]


def number(text: str) -> str | None:
    found = re.findall(r"\d+", text)
    return found[-1] if found else None


async def record() -> list[dict[str, object]]:
    pairs = [(a, b) for a in range(2, 10) for b in range(2, 10) if (a, b) not in SHOTS]
    sampling = {"temperature": 0.8, "max_tokens": 14, "stop": ["\n"]}
    method = MajorityVoteController(NativeChatController(sampling), SAMPLES, stop_rule="full")
    questions = []
    async with LocalWorker() as worker, ScaffoldingLlm(method, worker, max_parallel_requests=1) as llm:
        for a, b in random.Random(7).sample(pairs, QUESTIONS):
            output = (await llm.generate_async(chat(a, b))).output
            answers = [number(candidate.text) for candidate in output.candidates]
            questions.append({"question": STORY.format(a, b), "right": str(a * b), "answers": answers})
    return questions


if __name__ == "__main__":
    FILE.write_text(json.dumps(asyncio.run(record()), indent=None).replace('}, {"q', '},\n{"q') + "\n")
