"""A chain whose model gives the best of several answers, as the model itself or another one judges them."""

from __future__ import annotations

import argparse

from langchain_core.prompts import ChatPromptTemplate

from langchain_scaffolding import ChatScaffolding

PROMPT = ChatPromptTemplate.from_messages([("system", "You are brief."), ("human", "Explain {thing} to a child.")])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge-url", help="an OpenAI-compatible server with a model that judges")
    parser.add_argument("things", nargs="*", default=["rain", "a magnet"], help="what is explained")
    arguments = parser.parse_args()

    roles = (
        {"judge": ChatScaffolding(method="direct", base_url=arguments.judge_url)} if arguments.judge_url else None
    )
    model = ChatScaffolding(
        method="best_of_n", sample_num=3, reward="judge", roles=roles, temperature=0.9, max_tokens=24
    )
    chain = PROMPT | model
    for thing in arguments.things:
        message = chain.invoke({"thing": thing})
        told = message.response_metadata["scaffolding"]
        print(f"{thing}: {message.text}")
        print(f"    score {told['score']:.2f}; of all: {[sample['score'] for sample in told['candidates']]}")
        print(f"    {told['usage']['total_tokens']} tokens, judging included")


if __name__ == "__main__":
    main()
