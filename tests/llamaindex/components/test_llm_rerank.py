"""LLMRerank: the documents and their relevance count."""

import pytest
from llama_index.core.postprocessor import LLMRerank

from tests.llamaindex.components.voting import agreements, voting
from tests.llamaindex.engines import nodes

WANT = [
    "Doc: 2, Relevance: 8\nDoc: 1, Relevance: 3",
    "Doc: 2, Relevance: 8\n\nDoc: 1, Relevance: 3\n",
    "Here are the relevant documents, most relevant first:\n\nDoc: 2, Relevance: 8 (it names the year)\n"
    "Doc: 1, Relevance: 3",
]
OTHERS = ["Doc: 3, Relevance: 9\nDoc: 1, Relevance: 3", "Answer:\nDoc: 3, Relevance: 9\nDoc: 1, Relevance: 3"]


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("order", [1, -1])
async def test_the_ranking_of_most_samples_is_taken(events, chat, order):
    samples = [OTHERS[0], *WANT, OTHERS[1]][::order]
    reranker = LLMRerank(llm=voting(samples, is_chat_model=chat), top_n=2)
    for rank in (reranker.postprocess_nodes, reranker.apostprocess_nodes):
        ranked = rank(nodes("a", "b", "c"), query_str="q")
        ranked = ranked if isinstance(ranked, list) else await ranked
        assert [(node.node.text, node.score) for node in ranked] == [("b", 8.0), ("a", 3.0)]
    assert agreements(events) == [0.6, 0.6]


async def test_the_order_of_lines_does_not_count_where_relevance_tells_it(events):
    turned = "Doc: 1, Relevance: 3\nDoc: 2, Relevance: 8"
    LLMRerank(llm=voting([OTHERS[0], WANT[0], turned, OTHERS[1], turned])).postprocess_nodes(
        nodes("a", "b", "c"), query_str="q"
    )
    assert agreements(events) == [0.6]


async def test_other_relevance_is_another_ranking(events):
    samples = [WANT[0], WANT[0].replace("8", "4"), WANT[1], WANT[0].replace("8", "4"), WANT[2]]
    LLMRerank(llm=voting(samples)).postprocess_nodes(nodes("a", "b", "c"), query_str="q")
    assert agreements(events) == [0.6]
