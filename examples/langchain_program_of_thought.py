"""A chain whose model writes a program for each question; a sandbox runs it, and what it prints is the answer."""

from __future__ import annotations

import argparse

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from langchain_scaffolding import ChatScaffolding

PROMPT = ChatPromptTemplate.from_template("{question}")
QUESTIONS = ("What is 17 to the power of 9?", "How many primes are below 1000?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--url", required=True, help="an OpenAI-compatible server, such as http://localhost:8000/v1"
    )
    arguments = parser.parse_args()

    with ChatScaffolding(method="program_of_thought", base_url=arguments.url, max_tokens=300) as model:
        chain = PROMPT | model | StrOutputParser()
        for question in QUESTIONS:
            print(f"{question}  {chain.invoke({'question': question})}")


if __name__ == "__main__":
    main()
