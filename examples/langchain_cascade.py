"""A cascade: a small model votes, and only where its samples disagree the question goes to a large model."""

from __future__ import annotations

import argparse
from typing import Any

from langchain_core.prompts import ChatPromptTemplate

from langchain_scaffolding import ChatScaffolding
from scaffolding_core import LocalWorker, OpenAIWorker, Worker

STORY = "Tom buys {packs} packs of {cards} cards. How many cards is that?"
SHOTS = [(3, 4), (2, 9), (7, 5), (8, 8)]
PROMPT = ChatPromptTemplate.from_messages(
    [
        turn
        for packs, cards in SHOTS
        for turn in (
            ("human", STORY.format(packs=packs, cards=cards)),
            ("ai", f"{packs} * {cards} = {packs * cards}"),
        )
    ]
    + [("human", STORY)]
)


def cascade(large: Worker, threshold: float) -> ChatScaffolding:
    """A model whose answer is the small model's where its samples agree, else the large model's."""
    return ChatScaffolding(
        method="cascade",
        sample_num=6,
        method_options={"threshold": threshold},
        roles={"strong": large},
        temperature=0.8,
        max_tokens=14,
        stop_sequences=["\n"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="an OpenAI-compatible server with the large model; else the small one again")
    parser.add_argument("--model", help="name of the large model at the server; its first by default")
    parser.add_argument(
        "--threshold", type=float, default=0.6, help="share of equal answers below which the large model is asked"
    )
    arguments = parser.parse_args()

    large: Worker = OpenAIWorker(arguments.url, arguments.model) if arguments.url else LocalWorker()
    chain = PROMPT | cascade(large, arguments.threshold)
    for packs, cards in ((2, 5), (5, 3), (9, 17)):
        answer = chain.invoke({"packs": packs, "cards": cards})
        told: dict[str, Any] = answer.response_metadata["scaffolding"]["data"]
        asked = "the small model" if told["answered_by"] == "generation" else "the large model"
        print(f"{STORY.format(packs=packs, cards=cards)}  {answer.text}")
        print(f"    answered by {asked}; the small one agreed with itself to {told['confidence']:.0%}")


if __name__ == "__main__":
    main()
