"""A chain whose samples vote, each with the weight that a process reward model gives its steps."""

from __future__ import annotations

import argparse

from langchain_core.prompts import ChatPromptTemplate

from langchain_scaffolding import ChatScaffolding

PROMPT = ChatPromptTemplate.from_messages(
    [("system", "Work step by step, with an empty line between steps."), ("human", "{question}")]
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reward_url", help="a server with a process reward model, such as vLLM's")
    parser.add_argument("--url", help="an OpenAI-compatible server that answers; else the embedded model")
    parser.add_argument("--question", default="Tom buys 3 packs of 4 cards. How many cards is that?")
    arguments = parser.parse_args()

    model = ChatScaffolding(
        method="weighted_vote",
        sample_num=6,
        answers="number",
        reward=arguments.reward_url,
        base_url=arguments.url,
        temperature=0.8,
        max_tokens=120,
    )
    message = (PROMPT | model).invoke({"question": arguments.question})
    told = message.response_metadata["scaffolding"]
    print(f"{arguments.question}  {told['answer']}")
    weights = {answer: round(weight, 2) for answer, weight in told["data"]["weights"].items()}
    print(f"    weights: {weights}, votes: {told['votes']}")


if __name__ == "__main__":
    main()
