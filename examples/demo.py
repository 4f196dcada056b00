"""What a method buys: one chain and one query engine, each with its one line changed, on a real small model."""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import LLMResult
from langchain_core.prompts import ChatPromptTemplate
from llama_index.core import Document, SummaryIndex
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from langchain_scaffolding import ChatScaffolding
from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import LastNumber

SAMPLES = 16
AT_ONCE = 4
SAMPLING = {"temperature": 1.5, "max_tokens": 14, "stop_sequences": ["\n"]}
STORY = "Tom buys {packs} packs of {cards} cards. How many cards is that?"
SHOTS = [(3, 4), (2, 9), (7, 5)]
PROMPT = ChatPromptTemplate.from_messages(
    [
        message
        for packs, cards in SHOTS
        for message in (
            ("human", STORY.format(packs=packs, cards=cards)),
            ("ai", f"{packs} * {cards} = {packs * cards}"),
        )
    ]
    + [("human", STORY)]
)
DOCUMENTS = [
    "The lighthouse of Farsund was built in 1836. Its keeper was Anna Berg.",
    "The lighthouse stands 24 metres tall and is painted red.",
    "Boats to the lighthouse leave the harbour at nine every morning.",
]


def calculator(prompt: str, answer: str) -> float:
    """A reward: 1 if the answer is what a calculator makes of the question's last two numbers."""
    packs, cards = map(int, re.findall(r"\d+", prompt)[-2:])
    return float(number(answer) == packs * cards)


def number(answer: str) -> int | None:
    found = re.findall(r"\d+", answer)
    return int(found[-1]) if found else None


@dataclass
class Spending(BaseCallbackHandler):
    """Adds up what the model reports of each answer."""

    started: int = 0
    counted: int = 0
    cut: int = 0
    tokens: int = 0
    answers: list[Any] = field(default_factory=list)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        message = response.generations[0][0].message  # type: ignore[union-attr]  # a chat model's
        details = message.response_metadata["scaffolding"]
        self.started += details["samples"]
        self.counted += details["counted"]
        self.cut += details["cut"]
        self.tokens += message.usage_metadata["total_tokens"]  # type: ignore[index]  # always there


async def run(
    model: ChatScaffolding, questions: list[tuple[int, int]], progress: Progress, name: str
) -> list[str]:
    """Ask the chain every question; returns the table's row."""
    chain = PROMPT | model | StrOutputParser()  # the model's line is the only one that changes
    spending, bar = Spending(), progress.add_task(name, total=len(questions))
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(packs: int, cards: int) -> bool:
        async with gate:
            answer = await chain.ainvoke({"packs": packs, "cards": cards}, {"callbacks": [spending]})
        progress.advance(bar)
        return number(answer) == packs * cards

    started = time.monotonic()
    right = sum(await asyncio.gather(*(ask(*question) for question in questions)))
    most = len(questions) * (model.sample_num or 1)
    return [
        name,
        f"{right / len(questions):.2f}  ({right} of {len(questions)})",
        str(spending.started),
        str(spending.counted),
        f"{most - spending.started} not begun, {spending.cut} cut" if most > len(questions) else "",
        f"{spending.tokens:,}",
        f"{time.monotonic() - started:.0f} s",
    ]


async def chain_demo(console: Console, how_many: int) -> None:
    console.rule("1. A LangChain chain: prompt | ChatScaffolding(...) | parser")
    questions = [(packs, cards) for packs in range(2, 10) for cards in range(2, 10) if (packs, cards) not in SHOTS]
    questions = random.Random(7).sample(questions, how_many)
    models = {
        "one sample": ChatScaffolding(method="direct", **SAMPLING),
        f"majority vote of {SAMPLES}": ChatScaffolding(
            method="majority_vote",
            sample_num=SAMPLES,
            method_options={"stop_rule": "beta", "extractor": LastNumber()},
            **SAMPLING,
        ),
        f"best of {SAMPLES}, calculator as reward": ChatScaffolding(
            method="best_of_n",
            sample_num=SAMPLES,
            reward=calculator,
            method_options={"enough": 1.0, "ahead": 4},
            **SAMPLING,
        ),
    }
    table = Table("method", "accuracy", "started", "counted", "saved by stopping early", "tokens", "time")
    columns = (TextColumn("{task.description:42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for name, model in models.items():
            table.add_row(*await run(model, questions, progress, name))
    console.print(table)


def query_engine_demo(console: Console) -> None:
    console.rule("2. A LlamaIndex query engine over three documents")
    index = SummaryIndex([Document(text=text) for text in DOCUMENTS])
    llm = ScaffoldingLLM(  # the only line that changes
        "majority_vote", sample_num=8, temperature=0.7, max_tokens=24, additional_kwargs={"stop": ["\n"]}
    )
    for question in ("How many metres tall is the lighthouse?", "In which year was the lighthouse built?"):
        response = index.as_query_engine(llm=llm).query(question)
        console.print(Text.assemble((question, "bold"), f"  {response}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=40, help="questions for the chain, at most 61")
    arguments = parser.parse_args()
    console = Console()
    console.print(f"SmolLM2-135M-Instruct, on this machine; {SAMPLES} samples at most for each question.\n")
    started = time.monotonic()
    asyncio.run(chain_demo(console, arguments.questions))
    query_engine_demo(console)
    console.print(f"\nDone in {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()
