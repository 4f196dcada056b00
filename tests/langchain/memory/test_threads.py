"""A vote over a graph that has a checkpointer: each sample has a thread of its own, and the winner's goes on."""

import asyncio
import itertools
import threading
from contextlib import asynccontextmanager
from typing import Annotated, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from langchain_scaffolding import ScaffoldingRunnable, with_majority_vote
from scaffolding_core import InvalidRequestError
from tests.langchain.doubles import FULL, KnownChat

CONFIG = {"configurable": {"thread_id": "1"}}


class NoDelete(InMemorySaver):
    """As many savers: it can read and write, and leaves the rest as LangGraph's base class has it."""

    delete_thread = BaseCheckpointSaver.delete_thread
    adelete_thread = BaseCheckpointSaver.adelete_thread


@asynccontextmanager
async def saver_of(kind):
    if kind is SqliteSaver:
        with SqliteSaver.from_conn_string(":memory:") as saver:
            yield saver
    elif kind is AsyncSqliteSaver:
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            yield saver
    else:
        yield kind()


def graph_of(model, saver):
    """A graph that answers; and what its model was asked."""
    graph = StateGraph(MessagesState)
    graph.add_node(
        "answer",
        RunnableLambda(
            lambda state: {"messages": [model.invoke(state["messages"])]},
        ),
    )
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=saver)


async def called(runnable, how, given, config=CONFIG):
    if how == "ainvoke":
        return await runnable.ainvoke(given, config)
    return await asyncio.to_thread(runnable.invoke, given, config)


async def texts(graph, how):
    state = await graph.aget_state(CONFIG) if how == "ainvoke" else graph.get_state(CONFIG)
    return [message.text for message in state.values["messages"]]


KINDS = [
    (InMemorySaver, "invoke"),
    (InMemorySaver, "ainvoke"),
    (NoDelete, "invoke"),
    (SqliteSaver, "invoke"),
    (AsyncSqliteSaver, "ainvoke"),
]


def asks(text):
    return {"messages": [("user", text)]}


@pytest.mark.parametrize(("kind", "how"), KINDS)
async def test_samples_see_the_thread_and_the_winner_goes_on_with_it(kind, how):
    async with saver_of(kind) as saver:
        model = KnownChat(answers=["24", "30", "24"], calls=[], threads=[])
        graph = graph_of(model, saver)
        vote = with_majority_vote(graph, 3, text="messages", **FULL)
        for _ in range(2):
            assert (await called(vote, how, asks("how tall?")))["messages"][-1].text == "24"
        assert [len(messages) for messages in model.calls] == [1] * 3 + [3] * 3
        assert await texts(graph, how) == ["how tall?", "24"] * 2
        history = (
            [saved async for saved in graph.aget_state_history(CONFIG)]
            if how == "ainvoke"
            else [*graph.get_state_history(CONFIG)]
        )
        assert [saved.metadata["step"] for saved in history] == [4, 3, 2, 1, 0, -1]
        for saved, before in itertools.pairwise(history):
            assert saved.parent_config == before.config
        if kind is not NoDelete:
            kept = [one async for one in saver.alist(None)] if how == "ainvoke" else [*saver.list(None)]
            assert {one.config["configurable"]["thread_id"] for one in kept} == {"1"}
        await called(graph, how, asks("sure?"))
        assert len(await texts(graph, how)) == 6


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
@pytest.mark.parametrize("more", [{}, {"max_concurrency": 1}])
async def test_wherever_the_graph_is(how, more):
    graph = graph_of(KnownChat(answers=["24"]), InMemorySaver())
    given = RunnableLambda(lambda text: asks(text))
    answer = RunnableLambda(lambda state: state["messages"][-1].text)
    inside = RunnableLambda(lambda text: graph.invoke(asks(text))["messages"][-1].text)
    for number, chain in enumerate(
        [
            given | graph | answer,
            inside,
            given | RunnableLambda(graph.invoke, graph.ainvoke) | answer,
            given | graph.with_config(configurable={"thread_id": "other"}) | answer,
            with_majority_vote(given | graph | answer, 2, **FULL),
        ],
        1,
    ):
        assert await called(with_majority_vote(chain, 3, **FULL), how, "how tall?", {**CONFIG, **more}) == "24"
        assert await texts(graph, how) == ["how tall?", "24"] * number


async def test_by_events():
    graph = graph_of(KnownChat(answers=["24"]), InMemorySaver())
    vote = ScaffoldingRunnable.wrap(graph, sample_num=3, text="messages", method_options=FULL)
    list(vote.stream(asks("how tall?"), CONFIG))
    assert [event async for event in vote.astream(asks("how tall?"), CONFIG)]
    assert await texts(graph, "invoke") == ["how tall?", "24"] * 2


class Asked(TypedDict):
    said: Annotated[list[str], lambda a, b: a + b]


def asking(saver=None):
    graph = StateGraph(Asked)
    graph.add_node("ask", lambda state: {"said": [interrupt("sure?")]})
    graph.add_edge(START, "ask")
    return graph.compile(checkpointer=saver)


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_an_interrupted_graph_goes_on_where_the_winner_was(how):
    graph = asking(InMemorySaver())
    vote = with_majority_vote(graph, 2, text="said", **FULL)
    assert (await called(vote, how, {"said": ["hm"]}))["__interrupt__"][0].value == "sure?"
    assert (await called(vote, how, Command(resume="yes")))["said"] == ["hm", "yes"]
    assert graph.get_state(CONFIG).values == {"said": ["hm", "yes"]}
    assert graph.get_state(CONFIG).next == ()


async def test_an_interrupt_that_nobody_could_answer_is_an_error():
    vote = with_majority_vote(asking(), 2, text="said", **FULL)
    with pytest.raises(InvalidRequestError, match="checkpointer"):
        await vote.ainvoke({"said": ["hm"]})


def test_a_thread_that_a_cut_sample_still_writes_is_deleted_too():
    held, goes_on, ended = threading.Lock(), threading.Event(), threading.Event()

    def answer(state):
        if held.acquire(blocking=False):
            assert goes_on.wait(60)
        return {"messages": [AIMessage("24")]}

    class Deleting(InMemorySaver):
        def delete_thread(self, thread_id):
            super().delete_thread(thread_id)
            if goes_on.is_set():
                ended.set()

    saver = Deleting()
    graph = (
        StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").compile(checkpointer=saver)
    )
    with_majority_vote(graph, 3, text="messages").invoke(asks("how tall?"), CONFIG)
    goes_on.set()
    assert ended.wait(60)
    assert list(saver.storage) == ["1"]
