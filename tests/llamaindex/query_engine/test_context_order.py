"""Postprocessors that give each sample an order of its own."""

import pytest
from llama_index.core.base.response.schema import Response
from llama_index.core.query_engine import RetrieverQueryEngine

from llamaindex_scaffolding.query_engine import ScaffoldingQueryEngine
from llamaindex_scaffolding.query_engine.context_order import RotatedContext, ShuffledContext
from tests.llamaindex.doubles import ScriptedLLM
from tests.llamaindex.engines import nodes, summary_index

TEXTS = ["one", "two", "three", "four"]


async def orders(postprocessor, way, sample_num=6):
    """The orders in which the samples read the nodes, by sample."""
    llm = ScriptedLLM(answers=["7"])
    inner = RetrieverQueryEngine.from_args(
        summary_index(*TEXTS).as_retriever(), llm=llm, node_postprocessors=[postprocessor]
    )
    engine = ScaffoldingQueryEngine(inner, sample_num=sample_num, stop_rule="full")
    response = engine.query("q") if way == "query" else await engine.aquery("q")
    assert type(response) is Response
    ids = {node.node.node_id: node.node.text for node in inner.retrieve(query_bundle())}
    told = response.metadata["scaffolding"]["candidates"]
    return [[ids[node] for node in candidate["source_nodes"]] for candidate in told]


def query_bundle():
    from llama_index.core.schema import QueryBundle

    return QueryBundle("q")


@pytest.mark.parametrize("way", ["query", "aquery"])
async def test_rotated_contexts_begin_with_another_node_each(way):
    assert await orders(RotatedContext(), way) == [TEXTS[i % 4 :] + TEXTS[: i % 4] for i in range(6)]


@pytest.mark.parametrize("way", ["query", "aquery"])
async def test_shuffled_contexts_differ_and_repeat(way):
    first = await orders(ShuffledContext(), way)
    assert first[0] == TEXTS
    assert len({tuple(order) for order in first}) >= 4
    assert all(sorted(order) == sorted(TEXTS) for order in first)
    assert first == await orders(ShuffledContext(), way)
    assert first != await orders(ShuffledContext(seed=1), way)


@pytest.mark.parametrize("postprocessor", [RotatedContext(), ShuffledContext()])
def test_outside_of_a_sample_the_order_is_the_retrievers(postprocessor):
    given = nodes(*TEXTS)
    assert postprocessor.postprocess_nodes(given) == given
    assert postprocessor.postprocess_nodes([]) == []
