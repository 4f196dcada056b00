"""Tree searches on a recorded search of GPT-4 over 100 Games of 24: right answers, and steps looked at.

The record is that of Yao et al. 2023 (princeton-nlp/tree-of-thought-llm, MIT): every step that was proposed, and
the sum of three evaluations of each. A search of ours asks for the same steps and evaluations, and is answered
from it.
"""

import ast
import asyncio
import operator
import re
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from scaffolding_core import (
    AssistantMessage,
    BestFirstController,
    ChatTask,
    Controller,
    FunctionWorker,
    NativeChatController,
    ScaffoldingLlm,
    TreeOfThoughtsController,
    Verdict,
)
from tests.benchmarks.recorded import DATA, recorded

FILE = "game24_tree_of_thoughts_gpt4.jsonl.gz"
WORDS = {20.0: "sure", 1.0: "likely", 0.001: "impossible"}
PROPOSE, EVALUATE = "propose\n", "evaluate\n"


@dataclass
class Searched:
    """The searches of all puzzles: those with a right answer among the last states, or chosen; steps a puzzle."""

    any: int
    chosen: int
    steps: float


class Record:
    """One puzzle: answers what a search asks for, from what was recorded."""

    def __init__(self, puzzle: dict[str, Any]) -> None:
        self.numbers = puzzle["steps"][0]["x"]
        self.steps: dict[str, list[str]] = {}
        values: dict[str, float] = {}
        for level in puzzle["steps"]:
            for path, value in zip(level["new_ys"], level["values"], strict=True):
                before = max((each for each in level["ys"] if path.startswith(each)), key=len)
                self.steps.setdefault(before.strip(), []).append(path[len(before) :].strip())
                values.setdefault(path.strip(), value)
        self.words = {path: iter(words(value)) for path, value in values.items()}

    async def answer(self, task: ChatTask) -> str:
        """What the model said."""
        text = task.messages[-1].text
        if text.startswith(PROPOSE):
            return "\n".join(self.steps.get(text.removeprefix(PROPOSE), []))
        return next(self.words[text.removeprefix(EVALUATE)])


def words(value: float) -> list[str]:
    """The three words whose values have that sum; what could not be read counted as nothing."""
    said = []
    for worth, word in WORDS.items():
        count = int(round(value / worth, 6))
        said += [word] * count
        value -= count * worth
    return (said + ["?"] * 3)[:3]


class Makes24:
    """Passes an answer that makes 24 of the four numbers, each used once."""

    def __init__(self, numbers: str) -> None:
        self.numbers = sorted(numbers.split())

    def verify(self, message: AssistantMessage) -> Verdict:
        """Whether the last line does."""
        last = message.text.strip().splitlines()[-1].lower()
        expression = last.removeprefix("answer:").partition("=")[0].strip()
        if not last.startswith("answer:") or sorted(re.findall(r"\d+", expression)) != self.numbers:
            return Verdict(False)
        try:
            return Verdict(value_of(ast.parse(expression, mode="eval").body) == 24)
        except (SyntaxError, ZeroDivisionError, ValueError):
            return Verdict(False)


OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def value_of(node: ast.expr) -> Fraction:
    """The value of a sum, a difference, a product or a quotient."""
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](value_of(node.left), value_of(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -value_of(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return Fraction(node.value)
    raise ValueError("no arithmetic")


def asked(kind: str):
    return lambda question, steps: kind + "\n".join(steps)


COMMON = {
    "thoughts": "propose",
    "propose": asked(PROPOSE),
    "evaluate": asked(EVALUATE),
    "evaluations": 3,
    "final": lambda step: step.lower().startswith("answer"),
    "max_depth": 4,
    "max_samples": 1000,
}


def methods(verifier: Makes24) -> dict[str, Controller]:
    """The searches that are compared."""
    chat = NativeChatController()
    return {
        "as recorded": TreeOfThoughtsController(chat, keep=5, **COMMON),
        "until verified": TreeOfThoughtsController(chat, keep=5, width=1, verifier=verifier, **COMMON),
        "best first": BestFirstController(chat, width=1, verifier=verifier, **COMMON),
    }


async def searched(name: str, puzzles: list[dict[str, Any]]) -> Searched:
    """Search for an answer to each puzzle."""
    found = chosen = steps = 0
    for puzzle in puzzles:
        record = Record(puzzle)
        verifier = Makes24(record.numbers)
        async with ScaffoldingLlm(methods(verifier)[name], FunctionWorker(record.answer)) as llm:
            output = (await llm.generate_async(record.numbers)).output
        search = output.data["search"]
        kept = getattr(search, "kept", [])
        texts = ["\n".join(search.path(node)) for node in kept] or [output.text]
        found += any(verifier.verify(AssistantMessage(text)).passed for text in [*texts, output.text])
        chosen += verifier.verify(output.message).passed
        steps += sum(candidate.votes for candidate in output.candidates if candidate.text)
    return Searched(found, chosen, steps / len(puzzles))


def main() -> dict[str, object]:
    print("Game of 24: GPT-4's recorded steps and evaluations")
    if not (DATA / FILE).exists():
        print(f"  left out: no {FILE} in {DATA}")
        return {}
    results: dict[str, object] = {}
    for name in methods(Makes24("")):
        result = asyncio.run(searched(name, recorded(FILE)))
        print(f"  {name:16} any {result.any:3}   chosen {result.chosen:3}   {result.steps:5.1f} steps a puzzle")
        results[name] = asdict(result)
    return results
