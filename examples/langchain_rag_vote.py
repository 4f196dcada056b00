"""Retrieval-augmented generation with a voted answer: the chain is as ever, only the model's line is new."""

from __future__ import annotations

import re

from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from langchain_scaffolding import ChatScaffolding

DOCUMENTS = [
    Document("The lighthouse of Farsund was built in 1836. Its keeper was Anna Berg."),
    Document("The lighthouse stands 24 metres tall and is painted red."),
    Document("Boats to the lighthouse leave the harbour at nine every morning."),
    Document("The bakery in the harbour opens at six and sells cinnamon rolls."),
]
ASKED = "{context}\nQuestion: {question}"
PROMPT = ChatPromptTemplate.from_messages(
    [
        ("human", ASKED.format(context="The mill was sold to Ole Dahl.", question="Who bought the mill?")),
        ("ai", "Ole Dahl"),
        ("human", ASKED.format(context="The bridge has four arches.", question="How many arches has the bridge?")),
        ("ai", "four"),
        ("human", ASKED),
    ]
)
QUESTIONS = (
    "How tall is the lighthouse?",
    "In which year was the lighthouse built?",
    "What does the bakery sell?",
)


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def retrieve(question: str) -> str:
    """The document that shares most words with the question; any retriever of yours does as well."""
    return max(DOCUMENTS, key=lambda document: len(words(question) & words(document.page_content))).page_content


def main() -> None:
    model = ChatScaffolding(  # the only line that changes
        method="majority_vote", sample_num=8, temperature=0.7, max_tokens=16, stop_sequences=["\n"]
    )
    chain = {"context": RunnableLambda(retrieve), "question": RunnablePassthrough()} | PROMPT | model
    for question in QUESTIONS:
        message = chain.invoke(question)
        vote = message.response_metadata["scaffolding"]
        print(f"{question}  {message.text}  ({vote['samples']} samples, agreement {vote['agreement']:.0%})")
        print(f"    votes: {vote['votes']}")


if __name__ == "__main__":
    main()
