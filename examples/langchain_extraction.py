"""Structured extraction with a consensus for each field: samples are JSON by schema, voted on field by field."""

from __future__ import annotations

from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

from langchain_scaffolding import ChatScaffolding


class Person(BaseModel):
    """A person in a text."""

    name: str
    city: str
    age: int


PROMPT = ChatPromptTemplate.from_messages(
    [
        ("human", "Tim Hall, 52, sells fish in Boston."),
        ("ai", '{{"name": "Tim Hall", "city": "Boston", "age": 52}}'),
        ("human", "In Rome, aged 23, Carla Conti opened her first shop."),
        ("ai", '{{"name": "Carla Conti", "city": "Rome", "age": 23}}'),
        ("human", "{text}"),
    ]
)
TEXTS = (
    "Anna Berg, 41, is a doctor in Vienna.",
    "In Lyon, aged 67, Pierre Blanc painted his last picture.",
)


def main() -> None:
    model = ChatScaffolding(method="field_vote", sample_num=8, temperature=1.0, max_tokens=48)
    chain = PROMPT | model.with_structured_output(Person, method="json_schema", include_raw=True)
    for text in TEXTS:
        result = chain.invoke({"text": text})
        shares = result["raw"].response_metadata["scaffolding"]["data"]["fields"]
        print(text)
        for field, value in result["parsed"]:
            print(f"    {field}: {value}  ({shares[field]:.0%} of the votes)")


if __name__ == "__main__":
    main()
