"""QueryFusionRetriever: the queries count, all of them."""

import pytest
from llama_index.core.retrievers import BaseRetriever, QueryFusionRetriever

from tests.llamaindex.components.voting import agreements, voting


class Asked(BaseRetriever):
    """Remembers what it was asked."""

    def __init__(self):
        super().__init__()
        self.queries = []

    def _retrieve(self, query_bundle):
        self.queries.append(query_bundle.query_str)
        return []


QUESTIONS = [
    "What did Uber earn in 2020?\nHow did Uber grow in 2021?\nWhat is the share of Uber in 2021?",
    "What did Lyft earn in 2020?\nHow did Lyft grow in 2021?\nWhat is the share of Uber in 2021?",
]
PHRASES = [
    "revenue of uber 2020\ngrowth of uber 2021\nmarket share ride hailing 2021",
    "revenue of lyft 2020\ngrowth of lyft 2021\nmarket share ride hailing 2021",
]
NUMBERED = [
    "1. revenue of uber 2020\n2. growth of uber 2021\n3. market share ride hailing 2021",
    "1. revenue of lyft 2020\n2. growth of lyft 2021\n3. market share ride hailing 2021",
]


@pytest.mark.parametrize(
    ("want", "other"), [QUESTIONS, PHRASES, NUMBERED], ids=["questions", "phrases", "numbered"]
)
async def test_the_queries_of_most_samples_are_run(events, want, other):
    samples = [other, want, f"```\n{want}\n```", f"{other}\n", want.replace("\n", "\n\n")]
    asked = Asked()
    retriever = QueryFusionRetriever([asked], llm=voting(samples), num_queries=4, use_async=False)
    retriever.retrieve("Uber?")
    await retriever.aretrieve("Uber?")
    assert asked.queries == ["Uber?", *want.split("\n")] * 2
    assert agreements(events) == [0.6, 0.6]
