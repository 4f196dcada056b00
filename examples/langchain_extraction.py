"""Structured extraction with a consensus for each field: samples are JSON by schema, voted on field by field."""

from __future__ import annotations

from langchain_core.prompts import ChatPromptTemplate

from langchain_scaffolding import ChatScaffolding

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "city": {"type": "string"},
        "age": {"type": "integer"},
    },
    "required": ["name", "city", "age"],
}
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
    model = ChatScaffolding(
        method="field_vote",
        sample_num=8,
        temperature=1.0,
        max_tokens=48,
        model_kwargs={
            "response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}
        },
    )
    for text in TEXTS:
        vote = (PROMPT | model).invoke({"text": text}).response_metadata["scaffolding"]
        print(text)
        for field, share in vote["data"]["fields"].items():
            print(f"    {field}: {vote['answer'][field]}  ({share:.0%} of the votes)")


if __name__ == "__main__":
    main()
