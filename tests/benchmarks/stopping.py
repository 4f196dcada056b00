"""Voting on recorded samples of the embedded model: accuracy and samples of each stop rule."""

import json
from pathlib import Path

from scaffolding_core.voting import Ballot, Beta, Dirichlet, Full, Lossless, StopRule, Window

FILE = Path(__file__).with_name("recorded_samples.json")
RULES: dict[str, StopRule] = {
    "full": Full(),
    "lossless": Lossless(),
    "beta 0.95": Beta(0.95),
    "dirichlet 0.95": Dirichlet(0.95),
    "window 5": Window(5),
}


def replay(rule: StopRule) -> tuple[float, float]:
    """Accuracy of the vote, and the share of all samples that it looked at, one after another."""
    questions = json.loads(FILE.read_text())
    right = used = planned = 0
    for question in questions:
        answers = question["answers"]
        classes = {answer: number for number, answer in enumerate(dict.fromkeys(filter(None, answers)))}
        ballot = Ballot(rule, len(answers))
        for index, answer in enumerate(answers):
            used += 1
            ballot.see(index, classes.get(answer))
            if ballot.decided:
                break
        planned += len(answers)
        winner = ballot.winner()
        right += winner is not None and list(classes)[winner] == question["right"]
    return right / len(questions), used / planned


def main() -> dict[str, object]:
    print("Stop rules on 40 recorded samples of SmolLM2-135M-Instruct for each of 40 questions")
    results = {name: replay(rule) for name, rule in RULES.items()}
    for name, (accuracy, share) in results.items():
        print(f"  {name:16} accuracy {accuracy:.3f}   samples {share:6.1%}")
    return {name: {"accuracy": accuracy, "share": share} for name, (accuracy, share) in results.items()}
