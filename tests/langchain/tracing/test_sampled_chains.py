"""What runs inside the samples of a chain: who sees it, and what it cost."""

import asyncio
from operator import itemgetter

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_scaffolding import (
    ScaffoldingRunnable,
    with_majority_vote,
)
from tests.langchain.doubles import FULL, KnownChat, KnownLLM, Runs, named, names
from tests.langchain.sampling import both, rag, sampled


@pytest.mark.parametrize("call", ["invoke", "ainvoke", "stream", "astream", "batch", "abatch"])
async def test_what_runs_inside_a_sample_shows_beneath_its_run(call):
    chain, _ = rag(["42", "41", "42"])
    model = sampled(chain.with_config(run_name="rag"), text="answer")
    runs = Runs()
    given, config = {"question": "q"}, {"callbacks": [runs], "tags": ["mine"], "metadata": {"who": "me"}}
    if call == "astream":
        [event async for event in model.astream(given, config)]
    elif call.startswith("a"):
        await getattr(model, call)([given] if "batch" in call else given, config)
    else:
        answered = getattr(model, call)([given] if "batch" in call else given, config)
        assert call != "stream" or list(answered)
    (top,) = runs.tops
    assert top.name == "ScaffoldingRunnable"
    assert [child.name for child in top.child_runs] == ["sample"] * 3
    for sample in top.child_runs:
        assert [child.name for child in sample.child_runs] == ["rag"]
        (model_run,) = named(sample, "KnownChat")
        assert model_run.outputs["generations"][0][0]["text"] == sample.outputs["output"]
        assert "mine" in model_run.tags
        assert model_run.extra["metadata"]["who"] == "me"


async def test_in_a_chain_the_samples_are_beneath_the_chains_run_and_streams_give_the_result():
    chain, _ = rag(["42"])
    whole = RunnableLambda(lambda q: {"question": q}) | with_majority_vote(chain, 2, text="answer", **FULL)
    runs = Runs()
    list(whole.stream("q", {"callbacks": [runs]}))
    (top,) = runs.tops
    assert len(named(top, "sample")) == 2


async def test_usage_is_that_of_all_models_inside_and_counted_once_outside():
    chain, _ = rag(["42", "41", "42"])
    two = chain | RunnablePassthrough.assign(answer=itemgetter("answer") | KnownLLM(answers=["42"]))
    for usage, output in [
        (handler, out)
        for handler in (UsageMetadataCallbackHandler(),)
        for out in await both(sampled(two, text="answer"), {"question": "q"}, {"callbacks": [handler]})
    ]:
        assert (output.usage.calls, output.usage.total_tokens) == (6, 18)
        assert usage.usage_metadata["known"]["total_tokens"] == 18  # two calls of three chat answers
    assert all(candidate.usage.total_tokens == 6 for candidate in output.candidates)


def graph_with(node, **options):
    graph = StateGraph(MessagesState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    return graph.compile(**options)


async def test_tokens_of_samples_stay_out_of_the_stream_around_them_unless_asked_for():
    for asked in (False, True):
        inner = KnownChat(answers=["seven", "eight", "seven"])
        model = sampled(inner | StrOutputParser(), stream_samples=asked)

        async def node(state, config, model=model):
            return {"messages": [AIMessage((await model.ainvoke(state["messages"], config)).text)]}

        graph = graph_with(node)
        streamed = [
            chunk.text
            async for chunk, _ in graph.astream({"messages": [HumanMessage("q")]}, stream_mode="messages")
        ]
        events = [event async for event in model.astream_events("q", version="v2")]
        tokens = [event for event in events if event["event"] == "on_chat_model_stream"]
        if asked:
            assert len(streamed) > 1
            assert len(tokens) >= 6
        else:
            assert streamed == ["seven"]
            assert tokens == []
        assert sum(event["name"] == "sample" for event in events) == 6  # each starts and ends


async def test_a_graph_can_be_sampled_inside_a_graph():
    inner_model = KnownChat(answers=["seven", "eight", "seven"])
    agent = graph_with(lambda state: {"messages": [inner_model.invoke(state["messages"])]})
    model = sampled(agent, text="messages")

    async def node(state, config):
        output = await model.ainvoke({"messages": state["messages"]}, config)
        assert output.votes == {"seven": 2, "eight": 1}
        return {"messages": [output.message.original["messages"][-1]]}

    state = await graph_with(node).ainvoke({"messages": [HumanMessage("q")]})
    assert state["messages"][-1].text == "seven"
    saver = InMemorySaver()
    kept = graph_with(node, checkpointer=saver)
    config = {"configurable": {"thread_id": "t"}}
    state = await kept.ainvoke({"messages": [HumanMessage("q")]}, config)
    assert state["messages"][-1].text == "seven"
    namespaces = {saved.config["configurable"]["checkpoint_ns"] for saved in saver.list(config)}
    assert namespaces == {""}  # no sample leaves a checkpoint in the thread of the graph around it


async def test_nested_methods_show_each_sample_where_it_belongs():
    vote = with_majority_vote(KnownChat(answers=["7"]), 2, **FULL)
    inner = ScaffoldingRunnable.wrap(vote | StrOutputParser(), sample_num=2, method_options=FULL).chosen()
    outer = ScaffoldingRunnable.wrap(inner, sample_num=2, method_options=FULL)
    for call in (outer.invoke, outer.ainvoke):
        runs = Runs()
        output = call("q", {"callbacks": [runs]})
        output = await output if asyncio.iscoroutine(output) else output
        assert output.usage.total_tokens == 8 * 3
        (top,) = runs.tops
        deepest = ("sample", [])
        chat = ("ChatScaffolding", [deepest, deepest])
        sample = ("sample", [("RunnableSequence", [chat, ("StrOutputParser", [])])])
        one = ("sample", [("RunnableSequence", [("ScaffoldingRunnable", [sample, sample]), ("chosen", [])])])
        assert names(top) == ("ScaffoldingRunnable", [one, one])
    quiet = outer.invoke("q")
    assert quiet.usage.total_tokens == 24


async def test_nested_methods_count_each_model_once():
    plain = KnownChat(answers=["7"]) | StrOutputParser()
    inner = ScaffoldingRunnable.wrap(plain, sample_num=2, method_options=FULL).chosen()
    for output in await both(ScaffoldingRunnable.wrap(inner, sample_num=2, method_options=FULL), "q"):
        assert output.usage.total_tokens == 4 * 3
    runs = Runs()
    twice = with_majority_vote(with_majority_vote(KnownChat(answers=["7"]), 2, **FULL), 2, **FULL)
    for message in await both(twice, "q", {"callbacks": [runs]}):
        assert message.usage_metadata["total_tokens"] == 4 * 3
    assert {str(names(top)) for top in runs.tops} == {str(("ChatScaffolding", [("sample", [])] * 2))}


# Streams.
