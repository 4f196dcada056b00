"""Several whole runs of an agent, each in its own copy of a folder: the one whose file passes a check is kept.

All of them together spend no more than their budget.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from langchain.agents import create_agent
from langchain_core.tools import tool

from langchain_scaffolding import ChatScaffolding, ScaffoldingRunnable
from scaffolding_core import SharedBudget, workspace

NAMES = "Zoe\nAnn\nBob\n"


@tool
def read_file(name: str) -> str:
    """Read a file."""
    return (workspace() / Path(name).name).read_text()


@tool
def write_file(name: str, text: str) -> str:
    """Write a file."""
    (workspace() / Path(name).name).write_text(text)
    return "written"


def is_sorted(prompt: str, answer: str) -> float:
    """Looks into the folder of the run that it judges."""
    names = (workspace() / "names.txt").read_text().split()
    return float(names == sorted(NAMES.split()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--url", required=True, help="an OpenAI-compatible server, such as http://localhost:8000/v1"
    )
    parser.add_argument("--model", default="", help="name of the model at the server; its first by default")
    parser.add_argument("--folder", default="names", help="where the agent works; it is made if it is not there")
    parser.add_argument("--tokens", type=int, default=50_000, help="that all runs together may spend")
    arguments = parser.parse_args()
    folder = Path(arguments.folder)
    folder.mkdir(exist_ok=True)
    (folder / "names.txt").write_text(NAMES)

    budget = SharedBudget(tokens=arguments.tokens)
    model = ChatScaffolding(method="direct", base_url=arguments.url, model=arguments.model, temperature=0.7)
    agent = create_agent(model, [read_file, write_file])
    runs = ScaffoldingRunnable.wrap(
        agent,
        "best_of_n",
        sample_num=4,
        reward=is_sorted,
        text=lambda state: state["messages"][-1].text,
        method_options={"enough": 1},
        workspace=folder,
        request_options={"budget": budget},
    )
    output = runs.invoke({"messages": [("user", "Sort the names in names.txt, one on each line.")]})
    for candidate in output.candidates:
        print(f"run {candidate.index + 1}: {candidate.error or candidate.text} (score {candidate.score})")
    print(f"\nKept: {', '.join((folder / 'names.txt').read_text().split())}")
    print(f"Spent: {budget.spent.tokens} of {arguments.tokens} tokens in {budget.spent.samples} calls")


if __name__ == "__main__":
    main()
