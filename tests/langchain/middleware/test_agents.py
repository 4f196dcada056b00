"""ChatScaffolding in agents and graphs: `create_agent`, LangGraph nodes, checkpointers, interrupts.

On the scripted server: an agent's run is only known where each sample's tool calls are, and the embedded
model calls no tools.
"""

import asyncio
import json

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AIMessageChunk
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from langchain_scaffolding import ChatScaffolding
from scaffolding_core import OpenAIWorker
from tests.eventually import until
from tests.langchain.agents import Steps, ai_messages, files, open_ai, run, says, tool_messages, wants
from tests.servers.scripted import Paced, Reply, scripted_server

both_ways = pytest.mark.parametrize("how", ["sync", "async"])
GO = {"messages": [("user", "go")]}


def voting(server, n=3, **fields):
    """A model that votes, with a request for each sample, so that the script can tell them apart."""
    worker = OpenAIWorker(server.url, siblings=1)
    return ChatScaffolding(worker=worker, sample_num=n, method_options={"stop_rule": "full"}, **fields)


def updated(message):
    """What a node does with the model's message."""
    return {"messages": [message]}


def node(model, how, update=updated):
    """A node of a graph that asks a model."""

    async def answer_async(state):
        return update(await model.ainvoke(state["messages"]))

    def answer(state):
        return update(model.invoke(state["messages"]))

    return answer if how == "sync" else answer_async


def graph_of(node, **options):
    """A graph of one node."""
    return StateGraph(MessagesState).add_node("answer", node).add_edge(START, "answer").compile(**options)


def reads(path):
    return wants(("read_file", {"path": path}))


async def streamed(graph, how, take=lambda item: item, **mode):
    """What a graph streams, each item taken as it comes."""
    if how == "sync":
        return await asyncio.to_thread(lambda: [take(item) for item in graph.stream(GO, **mode)])
    return [take(item) async for item in graph.astream(GO, **mode)]


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


@both_ways
async def test_an_agent_votes_on_its_tool_calls_and_on_its_answer(how):
    steps = Steps([reads("b"), reads("a"), reads("a")], [says("7"), says("8"), says("8")])
    tools, ran = files()
    with scripted_server(steps) as server:
        state = await run(create_agent(voting(server), tools), how)
    assert ran == [("read_file", "a")]
    called, answered = ai_messages(state)
    assert tool_messages(state)[0].tool_call_id == called.tool_calls[0]["id"]
    assert answered.content == "8"
    assert answered.response_metadata["scaffolding"]["votes"] == {"8": 2, "7": 1}


@both_ways
async def test_parallel_tool_calls_of_the_winner_all_run(how):
    both = [("read_file", {"path": "a"}), ("read_file", {"path": "b"})]
    tools, ran = files()
    with scripted_server(Steps(wants(*both), says("done"))) as server:
        state = await run(create_agent(voting(server), tools), how)
    assert sorted(ran) == [("read_file", "a"), ("read_file", "b")]
    called = ai_messages(state)[0].tool_calls
    assert sorted(m.tool_call_id for m in tool_messages(state)) == sorted(call["id"] for call in called)


@both_ways
@pytest.mark.parametrize("strategy", [ToolStrategy, ProviderStrategy, None])
async def test_an_agents_response_format_is_met(how, strategy):
    data = {"city": "Oslo", "degrees": 9}
    with scripted_server(
        lambda body: wants(("Weather", data)) if body.get("tools") else says(json.dumps(data))
    ) as s:
        agent = create_agent(voting(s), response_format=strategy(Weather) if strategy else Weather)
        state = await run(agent, how)
        asked = s.requests[0]
    assert state["structured_response"] == Weather(**data)
    if strategy is ProviderStrategy:
        assert asked["response_format"]["json_schema"]["schema"]["required"] == ["city", "degrees"]
    else:
        assert asked["tool_choice"] == "required"


async def test_a_wrapped_model_keeps_its_own_way_of_structured_output():
    data = {"city": "Oslo", "degrees": 9}
    with scripted_server(says(json.dumps(data))) as server:
        model = ChatScaffolding.wrap(open_ai(server), sample_num=2)
        state = await run(create_agent(model, response_format=ProviderStrategy(Weather)), "async")
        assert "response_format" in server.requests[0]
    assert state["structured_response"] == Weather(**data)


async def test_the_profile_of_a_wrapped_model_tells_an_agent_its_way_of_structured_output():
    data = {"city": "Oslo", "degrees": 9}
    with scripted_server(says(json.dumps(data))) as server:
        inner = open_ai(server, profile={"structured_output": True})
        state = await run(create_agent(ChatScaffolding.wrap(inner), response_format=Weather), "async")
        assert "response_format" in server.requests[0]
    assert state["structured_response"] == Weather(**data)


@both_ways
async def test_langchains_own_middleware_works_around_a_vote(how):
    with scripted_server(Reply(status=401, body={"error": "no"})) as broken, scripted_server(says("7")) as server:
        middleware = [
            ModelCallLimitMiddleware(run_limit=1),
            ModelFallbackMiddleware(voting(server)),
            ModelRetryMiddleware(max_retries=1, initial_delay=0, on_failure="error"),
        ]
        state = await run(create_agent(voting(broken), middleware=middleware), how)
    assert state["messages"][-1].content == "7"


@both_ways
async def test_a_graph_node_streams_the_answer_once(how):
    with scripted_server(Reply(("It ", "is ", "7"))) as server:
        model = voting(server)
        graph = graph_of(node(model, how))
        items = await streamed(graph, how, stream_mode="messages")
        messages = [message for message, _ in items]
        assert "".join(message.text for message in messages) == "It is 7"
        assert len({message.id for message in messages}) == 1
        assert all(isinstance(message, AIMessageChunk) for message in messages)
        [update] = await streamed(graph, how, stream_mode="updates")
    assert update["answer"]["messages"][0].response_metadata["scaffolding"]["samples"] == 3


@both_ways
async def test_a_direct_method_streams_its_tokens_through_a_graph(how):
    paced = Paced("It ", "is ", "7")
    with scripted_server(paced) as server:
        model = ChatScaffolding(method="direct", base_url=server.url)
        graph = graph_of(node(model, how))
        texts = await streamed(graph, how, lambda item: paced.take(item[0].text), stream_mode="messages")
    assert [text for text in texts if text] == ["It ", "is ", "7"]


@both_ways
async def test_a_node_can_write_the_vote_to_the_custom_stream(how):
    def told(message):
        get_stream_writer()(message.response_metadata["scaffolding"]["votes"])
        return updated(message)

    with scripted_server(says("7")) as server:
        graph = graph_of(node(voting(server), how, told))
        items = await streamed(graph, how, stream_mode=["custom", "values"])
    assert [item for mode, item in items if mode == "custom"] == [{"7": 3}]
    assert [item for mode, item in items if mode == "values"][-1]["messages"][-1].content == "7"


@both_ways
async def test_nodes_that_run_in_parallel_share_a_model(how):
    with scripted_server(says("7")) as server:
        model = voting(server)
        builder = StateGraph(MessagesState)
        for name in ("one", "two"):
            builder.add_node(name, node(model, how))
            builder.add_edge(START, name)
            builder.add_edge(name, END)
        state = await run(builder.compile(), how)
    assert [message.content for message in ai_messages(state)] == ["7", "7"]


@both_ways
async def test_an_interrupt_between_vote_and_tool_resumes_without_a_new_vote(how):
    steps, (tools, ran) = Steps(reads("a"), says("done")), files()
    config = {"configurable": {"thread_id": "1"}}
    approve = HumanInTheLoopMiddleware({"read_file": True})
    with scripted_server(steps) as server:
        agent = create_agent(voting(server), tools, middleware=[approve], checkpointer=InMemorySaver())
        paused = await run(agent, how, config=config)
        assert paused["__interrupt__"][0].value["action_requests"][0]["args"] == {"path": "a"}
        before = len(server.requests)
        resume = Command(resume={"decisions": [{"type": "approve"}]})
        if how == "sync":
            state = await asyncio.to_thread(agent.invoke, resume, config)
        else:
            state = await agent.ainvoke(resume, config)
        assert len(server.requests) == 2 * before
    assert ran == [("read_file", "a")]
    assert state["messages"][-1].content == "done"


async def test_an_interrupt_beside_a_vote_in_a_node_passes_through():
    async def answer(state):
        message = await model.ainvoke(state["messages"])
        return {"messages": [AIMessage(f"{message.content}, says {interrupt('who?')}")]}

    config = {"configurable": {"thread_id": "1"}}
    with scripted_server(says("7")) as server:
        model = voting(server)
        graph = graph_of(answer, checkpointer=InMemorySaver())
        paused = await graph.ainvoke(GO, config)
        assert paused["__interrupt__"][0].value == "who?"
        state = await graph.ainvoke(Command(resume="Ann"), config)
    assert state["messages"][-1].content == "7, says Ann"


@both_ways
async def test_a_checkpointer_keeps_the_vote_with_the_message(how):
    saver = InMemorySaver(serde=JsonPlusSerializer(pickle_fallback=False))
    config = {"configurable": {"thread_id": "1"}}
    tools, _ = files()
    with scripted_server(Steps(reads("a"), says("7"), says("8"))) as server:
        agent = create_agent(voting(server), tools, checkpointer=saver)
        first = await run(agent, how, config=config)
        second = await run(agent, how, "and now?", config=config)
    kept = create_agent(voting(server), tools, checkpointer=saver).get_state(config).values["messages"]
    assert kept == second["messages"]
    assert kept[: len(first["messages"])] == first["messages"]
    assert kept[-1].response_metadata["scaffolding"]["votes"] == {"8": 3}
    assert json.loads(json.dumps(kept[-1].response_metadata)) == kept[-1].response_metadata


async def test_cancelling_a_graph_cuts_the_samples_of_its_node():
    with scripted_server(says("7", wait=60)) as server:
        model = voting(server)
        running = asyncio.ensure_future(graph_of(node(model, "async")).ainvoke(GO))
        await until(lambda: server.open == 3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: not server.open)
        assert server.cut == 3
