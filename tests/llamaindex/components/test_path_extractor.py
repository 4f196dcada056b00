"""SimpleLLMPathExtractor: the triplets count."""

import pytest
from llama_index.core.graph_stores.types import KG_RELATIONS_KEY
from llama_index.core.indices.property_graph import SimpleLLMPathExtractor
from llama_index.core.schema import TextNode

from tests.llamaindex.components.voting import agreements, voting

WANT = [
    "(Philz, is, coffee shop)\n(Philz, founded in, 1982)",
    "Triplets:\n(Philz, is, coffee shop)\n(Philz, founded in, 1982)\n",
    "Here are the triplets that I found:\n\n1. (Philz, is, Coffee Shop)\n2. (Philz, founded in, 1982)",
]
OTHERS = [
    "(Philz, is, tea house)\n(Philz, founded in, 1982)",
    "- (Philz, is, tea house)\n- (Philz, founded in, 1982)",
]


@pytest.mark.parametrize("order", [1, -1])
async def test_the_triplets_of_most_samples_are_taken(events, order):
    extractor = SimpleLLMPathExtractor(llm=voting([OTHERS[0], *WANT, OTHERS[1]][::order]), num_workers=1)
    (node,) = await extractor.acall([TextNode(text="Philz is a coffee shop founded in 1982.")])
    relations = node.metadata[KG_RELATIONS_KEY]
    assert [(each.source_id, each.label, each.target_id) for each in relations] == [
        ("Philz", "Is", "Coffee shop"),
        ("Philz", "Founded in", "1982"),
    ]
    assert agreements(events) == [0.6]


async def test_their_order_does_not_count(events):
    turned = "(Philz, founded in, 1982)\n(Philz, is, coffee shop)"
    extractor = SimpleLLMPathExtractor(llm=voting([OTHERS[0], WANT[0], turned, OTHERS[1], turned]), num_workers=1)
    await extractor.acall([TextNode(text="Philz")])
    assert agreements(events) == [0.6]
