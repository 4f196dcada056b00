"""Child runs: where samples show in tracing, whichever way the model is called, and what leaks into streams.

On a scripted model; the traces are LangChain's own.
"""

import asyncio

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langgraph.graph import START, MessagesState, StateGraph

from langchain_scaffolding import ChatScaffolding, with_best_of_n
from tests.langchain.doubles import FULL, Runs, Scripted, voted

SAMPLES = ["7", "8", "7"]
CONFIG = {"tags": ["mine"], "metadata": {"user": "me"}}
BETA = pytest.mark.filterwarnings("ignore:.*beta")  # LangChain says so of its third version


async def drive(runnable, call, value, config):
    """Calls a runnable in one of its ways, to the end."""
    match call:
        case "invoke":
            await asyncio.to_thread(runnable.invoke, value, config)
        case "ainvoke":
            await runnable.ainvoke(value, config)
        case "stream":
            await asyncio.to_thread(lambda: list(runnable.stream(value, config)))
        case "astream":
            [chunk async for chunk in runnable.astream(value, config)]
        case "astream_events v1" | "astream_events v2":
            [event async for event in runnable.astream_events(value, config, version=call[-2:])]
        case "stream_events v3":
            stream = await asyncio.to_thread(lambda: runnable.stream_events(value, config, version="v3"))
            await asyncio.to_thread(lambda: stream.output)
        case "astream_events v3":
            stream = await runnable.astream_events(value, config, version="v3")
            await stream.output
            # The run is told its end by a task of its own.
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


OLD = pytest.mark.filterwarnings("ignore:.*deprecated")
WAYS = [
    "invoke",
    "ainvoke",
    "stream",
    "astream",
    pytest.param("astream_events v1", marks=OLD),
    "astream_events v2",
]
ALONE = [*WAYS, pytest.param("stream_events v3", marks=BETA), pytest.param("astream_events v3", marks=BETA)]


def check_samples(model_run):
    assert model_run.run_type in ("llm", "chat_model")
    samples = model_run.child_runs
    assert [run.run_type for run in samples] == ["chain"] * 3
    assert [run.name for run in samples] == ["sample"] * 3
    assert sorted(run.outputs["output"] for run in samples) == sorted(SAMPLES)
    assert all("mine" in run.tags for run in samples)
    assert all(run.extra["metadata"]["user"] == "me" for run in samples)
    assert all(run.end_time is not None and run.error is None for run in samples)


@pytest.mark.parametrize("call", ALONE)
async def test_samples_are_children_of_a_model_called_alone(call):
    model, _ = voted(SAMPLES)
    runs = Runs()
    await drive(model, call, "q", {**CONFIG, "callbacks": [runs]})
    (top,) = runs.tops
    check_samples(top)


@pytest.mark.parametrize("call", WAYS)
async def test_samples_are_children_of_a_model_inside_a_chain(call):
    model, _ = voted(SAMPLES)
    chain = ChatPromptTemplate.from_template("{q}") | model
    runs = Runs()
    await drive(chain, call, {"q": "x"}, {**CONFIG, "callbacks": [runs]})
    (top,) = runs.tops
    (model_run,) = [run for run in top.child_runs if run.run_type != "prompt"]
    check_samples(model_run)


@pytest.mark.parametrize("call", ALONE)
async def test_usage_is_counted_once(call):
    model, _ = voted(["7"] * 4)
    usage = UsageMetadataCallbackHandler()
    await drive(model, call, "q", {"callbacks": [usage]})
    assert [counted["total_tokens"] for counted in usage.usage_metadata.values()] == [12]


async def test_the_wrapped_models_own_callbacks_are_called_and_the_chains_are_not():
    class Starts(AsyncCallbackHandler):
        def __init__(self):
            self.models = 0

        async def on_chat_model_start(self, *args, **kwargs):
            self.models += 1

    own, outer = Starts(), Starts()
    inner = Scripted(answers=["7"], callbacks=[own])
    model = ChatScaffolding.wrap(inner, sample_num=3, method_options=FULL)
    await model.ainvoke("q", {"callbacks": [outer]})
    assert (own.models, outer.models) == (3, 1)


async def test_rewards_are_runs_too():
    runs = Runs()
    model = with_best_of_n(Scripted(answers=["a", "bb"]), lambda prompt, answer: len(answer), n=2)
    await model.ainvoke("q", {"callbacks": [runs]})
    children = runs.tops[0].child_runs
    assert sorted(run.name for run in children) == ["reward", "reward", "sample", "sample"]
    assert sorted(run.outputs["output"] for run in children if run.name == "reward") == [1, 2]


async def test_a_model_inside_the_chain_that_another_samples():
    deepest = Scripted(answers=["7"])
    inner = ChatScaffolding.wrap(deepest, sample_num=2, method_options=FULL)
    outer = ChatScaffolding.wrap(
        RunnableLambda(lambda messages: messages) | inner, sample_num=3, method_options=FULL
    )
    usage = UsageMetadataCallbackHandler()
    config = {"callbacks": [usage]}
    for message in (outer.invoke("q", config), await outer.ainvoke("q", config)):
        assert message.content == "7"
        assert message.usage_metadata["total_tokens"] == 18
    assert len(deepest.calls) == 12
    assert [counted["total_tokens"] for counted in usage.usage_metadata.values()] == [36]
    assert "".join(chunk.text for chunk in outer.stream("q")) == "7"


async def test_models_side_by_side_keep_their_samples_apart():
    first, _ = voted(["7", "7"])
    second, _ = voted(["8", "8", "8"])
    runs = Runs()
    both = RunnableParallel(first=first, second=second)
    for answers in (both.invoke("q", {"callbacks": [runs]}), await both.ainvoke("q", {"callbacks": [runs]})):
        assert {name: message.content for name, message in answers.items()} == {"first": "7", "second": "8"}
    for top in runs.tops:
        assert sorted(len(run.child_runs) for run in top.child_runs) == [2, 3]


@pytest.mark.parametrize("call", ["stream", "astream"])
async def test_langgraph_shows_the_answer_once_with_one_id(call):
    model, _ = voted(SAMPLES)

    def answer(state):
        return {"messages": [model.invoke(state["messages"])]}

    async def aanswer(state):
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", RunnableLambda(answer, aanswer))
    graph.add_edge(START, "answer")
    app = graph.compile()
    given = {"messages": [("human", "q")]}
    if call == "stream":
        shown = [chunk for chunk, _ in app.stream(given, stream_mode="messages")]
    else:
        shown = [chunk async for chunk, _ in app.astream(given, stream_mode="messages")]
    assert "".join(chunk.text for chunk in shown) == "7"
    assert len({chunk.id for chunk in shown}) == 1
