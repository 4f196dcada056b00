"""How well answers are read and compared: `python -m tests.benchmarks.answers DATA_DIR` prints the figures.

The data stay outside the repository; a file that is not below the folder is left out, and said to be.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scaffolding_core import AssistantMessage
from scaffolding_core.answers import Equivalence, Exact, Mathematical, default_equivalence, default_extractor

PUBLISHED = {
    "zeroeval_gsm": {
        "gpt-4o-mini-2024-07-18": 94.24, "Meta-Llama-3.1-70B-Instruct": 94.16, "Meta-Llama-3.1-8B-Instruct": 84.0,
        "Qwen2-7B-Instruct": 80.06, "gemma-2-9b-it": 87.41, "claude-3-haiku-20240307": 88.78,
    },
    "zeroeval_math_l5": {
        "gpt-4o-mini-2024-07-18": 52.15, "Meta-Llama-3.1-8B-Instruct": 22.19, "Qwen2.5-7B-Instruct": 51.46,
    },
}  # fmt: skip
"""Accuracies that the evaluation's authors published, in percent."""

MISLABELLED = {"gsm8k-2", "gsm8k-9", "gsm8k-14", "gsm8k-17", "math500-27"}
"""Problems whose labels take `$460` for another answer than `460`, or `60%` for the same as `60`."""


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    found = next(iter(sorted(folder.rglob(name))), None)
    if found is None:
        print(f"{name}: not below {folder}, left out")
        return []
    written = found.read_bytes()
    lines = gzip.decompress(written) if found.suffix == ".gz" else written
    return [json.loads(line) for line in lines.decode().splitlines()]


def same(equivalence: Equivalence, first: object, other: object) -> bool:
    """Whether two answers are there and the same."""
    if first is None or other is None:
        return False
    classes = equivalence.classes()
    return classes.assign(first) == classes.assign(other)


def answer(text: str) -> object:
    return default_extractor().extract(AssistantMessage(text))


def is_right(row: dict[str, Any]) -> bool:
    equivalence = Mathematical() if row["equivalence"] == "Mathematical" else default_equivalence()
    if row["type"] == "extraction":
        found = answer(row["text"])
        return found is None if row["expected"] is None else same(equivalence, found, row["expected"])
    return same(equivalence, answer(row["text_a"]), answer(row["text_b"])) == (row["type"] == "split")


def pairs(folder: Path) -> Iterator[tuple[str, float]]:
    """Shares of pairs and texts that are read as they should be."""
    for name in ("cases.jsonl", "passing.jsonl"):
        counted = [row for row in rows(folder, name) if row["type"] != "time" and not row.get("debatable")]
        kinds = ("merge", "extraction", "split") if name == "cases.jsonl" else ("",)
        for kind in kinds:
            right = [is_right(row) for row in counted if kind in row["type"]]
            if right:
                yield f"{name} {kind}".strip(), 100 * sum(right) / len(right)
        if "--wrong" in sys.argv:
            for row in counted:
                if not is_right(row):
                    shown = [row[key] for key in ("text_a", "text_b", "text") if key in row]
                    print(row["type"], shown, row["expected"], [answer(text) for text in shown])


def published(folder: Path) -> Iterator[tuple[str, float]]:
    """Distances from published accuracies, in points."""
    for name, models in PUBLISHED.items():
        found = rows(folder, f"{name}.jsonl.gz")
        distances = []
        for model, accuracy in models.items():
            right = [
                same(default_equivalence(), answer(row["samples"][model]), row["gold"])
                for row in found
                if model in row["samples"]
            ]
            if right:
                distances.append(100 * sum(right) / len(right) - accuracy)
                yield f"{name} {model}", distances[-1]
        if distances:
            yield f"{name} mean", sum(distances) / len(distances)


def labelled(folder: Path) -> Iterator[tuple[str, float]]:
    """Shares of recorded answers whose labels agree."""
    dates = [  # to the letter: the labels want the format that was asked for
        same(Exact(), answer(sample), row["gold"]) == correct
        for row in rows(folder, "dates_10_samples.jsonl.gz")
        for sample, correct in zip(row["samples"], row["correct"], strict=True)
    ]
    if dates:
        yield "dates", 100 * sum(dates) / len(dates)
    for title, names, equivalence in (
        ("GSM8K", ("gsm8k_best_of_8_prm",), default_equivalence()),
        ("MATH-500", ("math500_best_of_8_prm_seed0", "math500_best_of_8_prm_seed1"), default_equivalence()),
        ("MATH-500, Mathematical", ("math500_best_of_8_prm_seed0", "math500_best_of_8_prm_seed1"), Mathematical()),
    ):
        agree = list(_agreeing((row for name in names for row in rows(folder, f"{name}.jsonl.gz")), equivalence))
        if agree:
            yield title, 100 * sum(agree) / len(agree)


def _agreeing(found: Iterable[dict[str, Any]], equivalence: Equivalence) -> Iterator[bool]:
    for row in found:
        if row["problem_id"] in MISLABELLED:
            continue
        for trace in row["traces"]:
            agrees = same(equivalence, answer(trace["text"]), row["gold"]) == trace["correct"]
            if not agrees and "--wrong" in sys.argv:
                print(row["problem_id"], trace["correct"], repr(row["gold"]), repr(answer(trace["text"])))
            yield agrees


def timed(_: Path) -> Iterator[tuple[str, float]]:
    """Seconds that votes with `Mathematical` take to compare their answers."""
    words = "time year people way day man thing woman life child world school state family student group country"
    nouns = (
        words + " problem hand part place case week company system program question work number night point"
    ).split()
    votes = {
        "40 one-word answers": [f"{noun}{'s' * (i // len(nouns))}" for i, noun in enumerate((nouns * 2)[:40])],
        "40 sentences": [f"The {noun} came {i} days before the rest." for i, noun in enumerate((nouns * 2)[:40])],
        "40 surds": [rf"\sqrt{{{i}}}+\sqrt{{{i + 3}}}" for i in range(2, 42)],
        "16 power towers": [rf"9^{{9^{{9^{{9^{{{i}}}}}}}}}" for i in range(2, 18)],
        "16 trigonometric expressions": [rf"\sin^{{{i}}}(x)\cos^{{{i + 1}}}(2x)+\tan({i}x)" for i in range(2, 18)],
    }
    Mathematical().classes().assign("x+1")
    for title, answers in votes.items():
        classes = Mathematical().classes()
        started = time.perf_counter()
        for each in answers:
            classes.assign(each)
        yield f"seconds for a vote over {title}", time.perf_counter() - started


if __name__ == "__main__":
    where = Path(sys.argv[1])
    for part in (pairs, published, labelled, timed):
        for title, figure in part(where):
            print(f"{title:50} {figure:7.2f}")
