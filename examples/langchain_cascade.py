"""A cascade: a small model votes, and only where its samples disagree the question goes to a large model."""

from __future__ import annotations

import argparse
from operator import itemgetter
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableBranch, RunnablePassthrough

from langchain_scaffolding import ChatScaffolding

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


def cascade(small: Runnable[Any, Any], large: Runnable[Any, Any], threshold: float) -> Runnable[Any, Any]:
    """A chain whose `answer` is the small model's where its samples agree, else the large model's."""

    def unsure(asked: dict[str, Any]) -> bool:
        return agreement(asked["small"]) < threshold

    answer = RunnableBranch((unsure, itemgetter("prompt") | large), itemgetter("small"))
    return PROMPT | {"prompt": RunnablePassthrough(), "small": small} | RunnablePassthrough.assign(answer=answer)


def agreement(message: AIMessage) -> float:
    """The share of the samples that gave the model's answer."""
    return float(message.response_metadata["scaffolding"]["agreement"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--url", help="an OpenAI-compatible server with the large model; else the small one votes more"
    )
    parser.add_argument("--model", default="", help="name of the large model at the server; its first by default")
    parser.add_argument(
        "--threshold", type=float, default=0.6, help="agreement below which the large model is asked"
    )
    arguments = parser.parse_args()

    sampling = {"temperature": 0.8, "max_tokens": 14, "stop_sequences": ["\n"]}
    small = ChatScaffolding(method="majority_vote", sample_num=6, method_options={"stop_rule": "full"}, **sampling)
    if arguments.url:
        large = ChatScaffolding(method="direct", base_url=arguments.url, model=arguments.model)
    else:
        large = ChatScaffolding(method="majority_vote", sample_num=20, **sampling)
    chain = cascade(small, large, arguments.threshold)
    for packs, cards in ((2, 5), (5, 3), (9, 17)):
        told = chain.invoke({"packs": packs, "cards": cards})
        asked = "the small model" if told["answer"] is told["small"] else "the large model"
        print(f"{STORY.format(packs=packs, cards=cards)}  {told['answer'].text}")
        print(f"    answered by {asked}; the small one agreed with itself to {agreement(told['small']):.0%}")


if __name__ == "__main__":
    main()
