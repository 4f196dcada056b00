"""KeywordExtractor: the keywords count."""

import pytest
from llama_index.core.extractors import KeywordExtractor
from llama_index.core.schema import TextNode

from tests.llamaindex.components.voting import agreements, voting

WANT = [
    "ride-hailing, revenue, EBITDA, Uber, 2021",
    "ride-hailing, revenue, EBITDA, Uber, 2021\n",
    "Ride-hailing, Revenue, EBITDA, Uber, 2021",
]
OTHERS = ["taxis, profit, EBITDA, Lyft, 2021", "taxis, profit, EBITDA, Lyft, 2021 "]


@pytest.mark.parametrize("order", [1, -1])
async def test_the_keywords_of_most_samples_are_taken(events, order):
    extractor = KeywordExtractor(llm=voting([OTHERS[0], *WANT, OTHERS[1]][::order]), num_workers=1)
    (found,) = await extractor.aextract([TextNode(text="Uber made money in 2021.")])
    assert found["excerpt_keywords"].lower() == WANT[0].lower()
    assert agreements(events) == [0.6]


async def test_a_heading_before_them_does_not_count(events):
    samples = [OTHERS[0], WANT[0], f"Keywords: {WANT[0]}", OTHERS[1], f"KEYWORDS: {WANT[0]}"]
    extractor = KeywordExtractor(llm=voting(samples), num_workers=1)
    (found,) = await extractor.aextract([TextNode(text="Uber made money in 2021.")])
    assert "ride-hailing" in found["excerpt_keywords"]
    assert agreements(events) == [0.6]
