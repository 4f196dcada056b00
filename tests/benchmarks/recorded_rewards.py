"""Votes and weighted votes on recorded samples that a process reward model has scored: right answers, and samples.

The samples are those of crucible-ttc (MIT): eight answers of Qwen2.5-1.5B-Instruct to each question, with the
mean over their steps of what Skywork-o1-Open-PRM-1.5B says. Each method is answered from them eight times, so that
each sample is the first once. An answer is right that is the recorded one in mathematics.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from scaffolding_core import (
    Answers,
    AssistantMessage,
    BestOfNController,
    Controller,
    FunctionWorker,
    MajorityVoteController,
    NativeGenerationController,
    NativeRewardController,
    RewardTask,
    ScaffoldingLlm,
    ScaffoldingOutput,
    WeightedVoteController,
)
from scaffolding_core.tasks import Task
from tests.benchmarks.recorded import DATA, recorded

FILES = tuple(
    f"{name}.jsonl.gz"
    for name in ("math500_best_of_8_prm_seed0", "math500_best_of_8_prm_seed1", "gsm8k_best_of_8_prm")
)
SAMPLES = 8
MATH = Answers("math")
single, reward = NativeGenerationController(), NativeRewardController()

METHODS: dict[str, Callable[[], Controller]] = {
    "vote": lambda: MajorityVoteController(single, SAMPLES, answers=MATH, stop_rule="full"),
    "vote until beta 0.95": lambda: MajorityVoteController(single, SAMPLES, answers=MATH, stop_rule="beta"),
    "best by reward": lambda: BestOfNController(single, reward, SAMPLES),
    "weighted vote": lambda: WeightedVoteController(single, reward, SAMPLES, answers=MATH),
    "weighted until 0.95": lambda: WeightedVoteController(single, reward, SAMPLES, answers=MATH, confidence=0.95),
}


@dataclass
class Chosen:
    """What a method chose, over all questions: right answers in the recorded order; over all orders, the share of
    right answers and the samples that were begun for a question."""

    right: int
    share: float
    started: float


class Record:
    """The samples of all questions; a question is asked as the number of its row, and of its first sample."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.started: Counter[str] = Counter()

    async def answer(self, task: Task) -> Any:
        """The next sample, or the score of one, which is found by its text."""
        question = task.input_str
        row, first = map(int, question.split())
        traces = self.rows[row]["traces"]
        if isinstance(task, RewardTask):
            return next(trace["prm_score"] for trace in traces if trace["text"] == task.response.text)
        self.started[question] += 1
        return traces[(first + self.started[question] - 1) % len(traces)]["text"]


def is_right(output: ScaffoldingOutput, gold: str) -> bool:
    """Whether an answer is the recorded one."""
    classes = MATH.equivalence.classes()
    expected = MATH.extractor.read(AssistantMessage(f"The answer is \\boxed{{{gold}}}.")).answer
    answer = MATH.extractor.read(output.message).answer
    return answer is not None and classes.assign(answer) == classes.assign(expected)


async def chosen(name: str, rows: list[dict[str, Any]], orders: int = SAMPLES) -> Chosen:
    """Ask a method each question, in several orders of its samples."""
    record = Record(rows)
    asked = [(place, first) for first in range(orders) for place in range(len(rows))]
    worker = FunctionWorker(record.answer)
    async with ScaffoldingLlm(METHODS[name](), {"generation": worker, "reward": worker}) as llm:
        results = await asyncio.gather(*(llm.generate_async(f"{place} {first}") for place, first in asked))
    right = [
        is_right(result.output, rows[place]["gold"]) for (place, _), result in zip(asked, results, strict=True)
    ]
    return Chosen(sum(right[: len(rows)]), sum(right) / len(asked), record.started.total() / len(asked))


def main() -> dict[str, object]:
    results: dict[str, object] = {}
    for file in FILES:
        if not (DATA / file).exists():
            print(f"Recorded rewards: {file} is not in {DATA}")
            continue
        rows = recorded(file)
        print(f"Recorded rewards: {file}, {len(rows)} questions")
        for name in METHODS:
            result = asyncio.run(chosen(name, rows))
            shares = f"all orders {result.share:6.1%}   started {result.started:4.2f}"
            print(f"  {name:22} right {result.right:2}   {shares}")
            results[f"{file}, {name}"] = asdict(result)
    return results


if __name__ == "__main__":
    main()
