"""Voting on recorded samples of the embedded model: accuracy and samples of each stop rule.

Of samples two numbers are told: those that were started, on a worker that answers in the order of the calls, and
those that counted before the vote was settled. What was started beyond that is cut or comes late.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from scaffolding_core.voting import Beta, Dirichlet, Doubling, Full, Lossless, StopRule, Window
from tests.core.voting.replay import replay

FILE = Path(__file__).with_name("recorded_samples.json")
SIZES = (16, 40)
RULES: dict[str, tuple[StopRule, float | None]] = {
    "full": (Full(), None),
    "lossless": (Lossless(), None),
    "lossless, run_ahead=1": (Lossless(), 1),
    "beta 0.95": (Beta(0.95), None),
    "dirichlet 0.95": (Dirichlet(0.95), None),
    "window 5": (Window(5), None),
    "doubling": (Doubling(), None),
}


@dataclass
class Votes:
    """The votes on all questions: share that is right; of all samples, those started and those that counted."""

    accuracy: float
    started: float
    counted: float


def votes(rule: StopRule, n: int, run_ahead: float | None = None) -> Votes:
    """Vote on each question with its first n samples."""
    questions = json.loads(FILE.read_text())
    right = started = counted = 0
    for question in questions:
        answers = question["answers"][:n]
        classes = {answer: number for number, answer in enumerate(dict.fromkeys(filter(None, answers)))}
        vote = replay(rule, [classes.get(answer) for answer in answers], run_ahead=run_ahead)
        started, counted = started + vote.started, counted + vote.counted
        right += vote.winner is not None and list(classes)[vote.winner] == question["right"]
    samples = n * len(questions)
    return Votes(right / len(questions), started / samples, counted / samples)


def main() -> dict[str, object]:
    results: dict[str, object] = {}
    for n in SIZES:
        print(f"Stop rules on {n} recorded samples of SmolLM2-135M-Instruct for each of 40 questions")
        for name, (rule, run_ahead) in RULES.items():
            vote = votes(rule, n, run_ahead)
            shares = f"started {vote.started:6.1%}   counted {vote.counted:6.1%}"
            print(f"  {name:22} accuracy {vote.accuracy:.3f}   {shares}")
            results[f"{name}, {n} samples"] = asdict(vote)
    return results
