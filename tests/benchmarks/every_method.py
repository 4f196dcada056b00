"""Every method on the same 100 arithmetic questions, on the embedded model: accuracy against tokens.

`python -m tests.benchmarks.every_method` asks what was not asked before, an hour on two cores; it may be stopped
at any time, and goes on where it was. `every_method.jsonl`, in the folder where it runs, keeps an answer a
line. At its end it writes `tests/benchmarks/every_method.json`, the table in the README, and the picture
`docs/every_method.svg`. With names of runs it asks those alone, and writes nothing else.

The model plays all roles itself, judges among them, so that all tokens are counted: it is small, and judges badly.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from scaffolding_core import METHODS, LocalWorker, ScaffoldingError, UserMessage
from scaffolding_core.config import Config
from scaffolding_core.config.method import method_options
from scaffolding_core.workers.local import embedded_model
from tests.benchmarks.eight_bits import in_eight_bits

QUESTIONS, MOST_TOKENS, AT_ONCE = 100, 32, 8
LOG = Path("every_method.jsonl")
RESULTS = Path(__file__).with_suffix(".json")
README = Path(__file__).parents[2] / "README.md"
PICTURE = README.parent / "docs/every_method.svg"
SAMPLES, PAIR = 3, 2

STORY = "Tom buys {} packs of {} cards. How many cards is that?"
SUM = "What is {} + {}?"
SHOTS = [(STORY, 7, 5, "7 * 5 = 35"), (SUM, 48, 31, "48 + 31 = 79")]


def add(a: int, b: int) -> int:
    """The sum of two numbers."""
    return a + b


def multiply(a: int, b: int) -> int:
    """The product of two numbers."""
    return a * b


VERDICTS = {
    "score": '"Score: " ("10" | [1-9])',
    "scores": '"Scores: A " ("20" | "1" [0-9] | [1-9]) ", B " ("20" | "1" [0-9] | [1-9])',
    "choice": f'"Choice: " [1-{PAIR}]',
    "preference": '"Verdict: " ("A" | "B" | "tie")',
    "entailment": '"Verdict: " ("yes" | "no")',
    "value": '"sure" | "likely" | "impossible"',
}
"""What a judge may say, as a grammar: a model so small keeps to no form by itself."""

JUDGES = {
    **dict.fromkeys(("universal_self_consistency", "gen_select"), "choice"),
    **dict.fromkeys(("tree_of_thoughts", "best_first", "mcts", "lats"), "value"),
    "ab_mcts": "score",
    "semantic_vote": "entailment",
    "knockout": "preference",
    "pivot_tournament": "scores",
}
"""How the judges of methods say their verdict."""


def judge(verdict: str) -> dict[str, Any]:
    """A judge that says nothing but its verdict."""
    said = {"max_tokens": 24, "extra_body": {"grammar": f"root ::= {VERDICTS[verdict]}"}}
    return {"role": "judge", "sampling": {"temperature": 0.0, **said}}


RETRIED: dict[str, Any] = {"max_retries": 1, "passing": 0.8}
TREE: dict[str, Any] = {"branches": 2, "max_depth": 2}
STEPS: dict[str, Any] = {"roles": {"process_reward": {"kind": "likelihood"}}, "max_steps": 2}
PAIRED = {
    *(name for name, said in JUDGES.items() if said != "entailment"),
    *("plan_search", "mixture_of_agents", "recursive_self_aggregation", "multi_chain_comparison"),
}
"""Methods of two samples: a judge reads each, or another turn does."""

OWN: dict[str, dict[str, Any]] = {
    "field_vote": {"answers": {"sum": "number"}},
    "cascade": {"roles": {"strong": {"$ref": "model"}}},
    "tool_loop": {"roles": {"tools": [{"$ref": "add"}, {"$ref": "multiply"}]}},
    "react": {"roles": {"tools": [{"$ref": "add"}, {"$ref": "multiply"}]}, "max_turns": 2},
    "deepconf_offline": {"group_size": 4, "num_logprobs": 5},
    "deepconf_online": {"sample_num": 8, "warm_up": 4, "keep": 0.5, "group_size": 4, "step": 4, "num_logprobs": 5},
    "dynasor_cot": {"chunk_size": 8},
    "program_of_thought": {"max_retries": 0},
    "self_refine": {"max_rounds": 1},
    "critique_revise": {"max_rounds": 1},
    "recursive_self_aggregation": {"subset": 2, "rounds": 1},
    "mixture_of_agents": {"layers": 1},
    "debate": {"rounds": 1},
    "plan_search": {"max_observations": 1},
    **dict.fromkeys(("tree_of_thoughts", "best_first", "mcts", "lats"), TREE),
    **dict.fromkeys(("retry_with_feedback", "reflexion"), RETRIED),
    **dict.fromkeys(("beam_search", "dvts", "particle_filtering", "particle_gibbs"), STEPS),
}
"""What a method is told beside its number of samples and the kind of answer."""

FURTHER: dict[str, dict[str, Any]] = {
    "majority_vote, 8 samples": {"method": "majority_vote", "sample_num": 8},
    "weighted_vote, self_certainty, borda": {
        "method": "weighted_vote",
        "sample_num": SAMPLES,
        "reward": {"kind": "self_certainty", "num_logprobs": 5},
        "weighing": "borda",
    },
    "weighted_vote, 8, likelihood, until 0.95": {
        "method": "weighted_vote",
        "sample_num": 8,
        "reward": {"kind": "likelihood", "sharpness": 4.0},
        "confidence": 0.95,
    },
}
"""Runs of methods with other rewards or numbers."""


def runs() -> dict[str, dict[str, Any]]:
    """What is run, by name: a configuration each."""
    trees = {name: _tree(name) for name in METHODS}
    for tree in (*trees.values(), *FURTHER.values()):
        tree["generation"] = {
            "method": "chain_of_thought",
            "instruction": "",
            "examples": [(text.format(a, b), answer) for text, a, b, answer in SHOTS],
            "sampling": {"temperature": 0.8, "max_tokens": MOST_TOKENS},
        }
        takes = method_options(METHODS[tree["method"]])
        if "answers" in takes:
            tree.setdefault("answers", "number")
        if "judge" in takes:
            said = JUDGES.get(tree["method"])
            free = {"role": "judge", "sampling": {"max_tokens": MOST_TOKENS}}
            tree["judge"] = free if said is None else judge(said)
    return {**trees, **FURTHER}


def _tree(name: str) -> dict[str, Any]:
    row = METHODS[name]
    tree: dict[str, Any] = {"method": name}
    if row.samples is not None:
        tree["sample_num"] = PAIR if name in PAIRED else SAMPLES
    if "reward" in row.roles:
        tree["reward"] = {"kind": "likelihood"}
    return tree | OWN.get(name, {})


def questions() -> list[tuple[list[UserMessage], int]]:
    """Questions, and what is right: half of them products up to 12 * 12, half sums of two numbers below 100."""
    draw = random.Random(24)
    shown = {(a, b) for _, a, b, _ in SHOTS}
    products = [(a, b) for a in range(2, 13) for b in range(2, 13) if (a, b) not in shown]
    sums = [(a, b) for a in range(11, 100) for b in range(11, 100) if (a, b) not in shown]
    half = QUESTIONS // 2
    asked = [(STORY, a, b, a * b) for a, b in draw.sample(products, half)]
    asked += [(SUM, a, b, a + b) for a, b in draw.sample(sums, half)]
    return [([UserMessage(text.format(a, b))], right) for text, a, b, right in asked]


@dataclass
class Run:
    """What came of a run: right answers of those asked, and tokens of a question, judges' and cut ones counted."""

    name: str
    asked: int
    right: int
    failed: int
    written: float
    read: float
    seconds: float

    @property
    def tokens(self) -> float:
        """Tokens of a question."""
        return self.written + self.read

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, of 95 %."""
        n, z = self.asked, 1.96
        share, error = self.right / n, z * z / n
        middle = (share + error / 2) / (1 + error)
        half = z * sqrt(share * (1 - share) / n + error / (4 * n)) / (1 + error)
        return max(0.0, middle - half), min(1.0, middle + half)


def logged() -> dict[str, dict[int, dict[str, Any]]]:
    """What was asked before, by run and question."""
    rows: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    if LOG.exists():
        for line in LOG.read_text().splitlines():
            row = json.loads(line)
            rows[row["run"]][row["question"]] = row
    return rows


def note(row: dict[str, Any]) -> None:
    """Keep what was asked."""
    with LOG.open("a") as log:
        log.write(json.dumps(row) + "\n")


async def ask(name: str, tree: dict[str, Any], worker: LocalWorker, done: set[int]) -> None:
    """Ask a run what it was not asked before."""
    config = Config(tree, {"model": worker, "add": add, "multiply": multiply}).updated(model=worker)
    left = [place for place in range(QUESTIONS) if place not in done]
    # Samples at once, and what judges read of them, fit in the server's slots: it would read prompts again.
    asked, gate = questions(), asyncio.Semaphore(AT_ONCE // tree.get("sample_num", 1))
    with config.llm() as llm:

        async def one(place: int) -> None:
            chat, right = asked[place]
            async with gate:
                began = time.perf_counter()
                result = llm.generate_async(chat, seed=place)
                try:
                    output = await result
                    told = {"answer": str(output.output.answer or output.text)[-80:], "error": None}
                except ScaffoldingError as error:
                    told = {"answer": None, "error": f"{type(error).__name__}: {error}"[:200]}
                usage = result.usage
                row = {
                    "run": name,
                    "question": place,
                    "right": told["answer"] is not None and said(told["answer"]) == right,
                    **told,
                    "written": usage.completion_tokens,
                    "read": usage.prompt_tokens - usage.cached_tokens,
                    "seconds": round(time.perf_counter() - began, 2),
                }
                note(row)

        await asyncio.gather(*map(one, left))


def said(answer: str) -> int | None:
    """The number that an answer ends with."""
    digits = "".join(letter if letter.isdigit() else " " for letter in answer).split()
    return int(digits[-1]) if digits else None


def summed(rows: dict[str, dict[int, dict[str, Any]]]) -> list[Run]:
    """The runs that were asked all, in the order of their names in the table."""
    found = []
    for name in runs():
        of_run = [*rows.get(name, {}).values()]
        if len(of_run) == QUESTIONS:
            total = {key: sum(row[key] for row in of_run) for key in ("written", "read", "seconds", "right")}
            failed = sum(row["error"] is not None for row in of_run)
            n = len(of_run)
            found.append(
                Run(name, n, total["right"], failed, total["written"] / n, total["read"] / n, total["seconds"] / n)
            )
    return found


HEAD = "| run | accuracy | 95 % | written | read | failed |\n| --- | --- | --- | --- | --- | --- |"


def table(found: list[Run]) -> str:
    """The table of the README."""
    rows = []
    for run in sorted(found, key=lambda run: (-run.right, run.written)):
        low, high = run.interval
        name = f"`{run.name}`" if run.name in METHODS else f"`{run.name.replace(', ', '`, ', 1)}"
        share = f"{run.right / run.asked:.2f} | {low:.2f} to {high:.2f}"
        rows.append(f"| {name} | {share} | {run.written:.0f} | {run.read:.0f} | {run.failed or ''} |")
    return "\n".join([HEAD, *rows])


def family(run: Run) -> str:
    """The family of a run's method: the folder that it is in."""
    folders = METHODS[run.name.partition(",")[0]].constructor.__module__.split(".")
    return folders[2] if len(folders) > 3 else "one sample"


def best_for_less(found: list[Run]) -> list[Run]:
    """Those than which none that wrote less was right more often."""
    front: list[Run] = []
    for run in sorted(found, key=lambda run: (run.tokens, -run.right)):
        if not front or run.right > front[-1].right:
            front.append(run)
    return front


def draw(found: list[Run]) -> None:
    """The picture: accuracy against tokens, a colour for each family, and the names of the best for less."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "every_method"  # the same picture for the same numbers
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 6))
    for number, name in enumerate(sorted({family(run) for run in found})):
        runs_of = [run for run in found if family(run) == name]
        shares = [run.right / run.asked for run in runs_of]
        ends = [run.interval for run in runs_of]
        below = [share - low for share, (low, _) in zip(shares, ends, strict=True)]
        above = [high - share for share, (_, high) in zip(shares, ends, strict=True)]
        axes.errorbar(
            [run.tokens for run in runs_of],
            shares,
            yerr=[below, above],
            fmt="o",
            color=f"C{number}",
            elinewidth=0.5,
            label=name,
        )
    for run in best_for_less(found):
        at = (run.tokens, run.right / run.asked)
        axes.annotate(run.name, at, xytext=(5, 5), textcoords="offset points", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("tokens for a question, written and read, those of judges and of cut samples among them")
    axes.set_ylabel("share of right answers, with intervals of 95 %")
    axes.set_title(f"{QUESTIONS} arithmetic questions, SmolLM2-135M-Instruct")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    figure.tight_layout()
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


def into_readme(found: list[Run]) -> None:
    """Put the table where it stands in the README."""
    text = README.read_text()
    before, _, after = text.partition(HEAD)
    README.write_text(before + table(found) + after[after.index("\n\n") :])


async def main(names: list[str]) -> None:
    trees = runs()
    with tempfile.TemporaryDirectory() as folder:
        model = in_eight_bits(embedded_model(), Path(folder) / "model.gguf")
        async with LocalWorker(model) as worker:
            for name in names or trees:
                began, done = time.perf_counter(), set(logged().get(name, {}))
                await ask(name, trees[name], worker, done)
                new = [row for place, row in logged()[name].items() if place not in done]
                right = sum(row["right"] for row in new)
                took = time.perf_counter() - began
                print(f"{name:42} {right:3} of {len(new):3} right   {took:6.1f} s", flush=True)
    found = summed(logged())
    print(table(found))
    if not names:
        RESULTS.write_text(json.dumps([asdict(run) for run in found], indent=1) + "\n")
        into_readme(found)
        draw(found)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
