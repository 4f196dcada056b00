"""Structured extraction with a consensus for each field: samples are JSON by schema, voted on field by field.

Needs: pip install 'scaffolding-llm[llamaindex,demo]'
"""

from __future__ import annotations

import argparse

from llama_index.core import PromptTemplate
from pydantic import BaseModel

from llamaindex_scaffolding import ScaffoldingLLM


class Person(BaseModel):
    """Whoever a text is about."""

    name: str
    city: str
    age: int


PROMPT = PromptTemplate("Text: {text}\nWho is the person in the text, in which city, and how old?")
TEXTS = (
    "Anna Berg, 41, is a doctor in Vienna.",
    "In Lyon, aged 67, Pierre Blanc painted his last picture.",
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=int, default=8)
    given = options.parse_args()

    schema = {"type": "json_object", "schema": Person.model_json_schema()}
    llm = ScaffoldingLLM(  # the embedded model; any LLM will do
        "field_vote",
        sample_num=given.samples,
        temperature=0.7,
        max_tokens=48,
        additional_kwargs={"response_format": schema},
    )
    for text in TEXTS:
        print(text)
        for field, value in llm.structured_predict(Person, PROMPT, text=text):
            print(f"    {field}: {value}")


if __name__ == "__main__":
    main()
