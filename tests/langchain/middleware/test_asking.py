"""A person is asked where a method abstained, and no sample is drawn again when the graph goes on.

On the scripted server: what each sample says must be known.
"""

import asyncio
import pickle

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from langchain_scaffolding import ChatScaffolding
from langchain_scaffolding.middleware import AskPersonMiddleware, ScaffoldingMiddleware, ask_person
from scaffolding_core import InvalidRequestError
from tests.langchain.agents import Steps, ai_messages, files, open_ai, run, says, tool_messages, wants
from tests.servers.scripted import scripted_server

CONFIG = {"configurable": {"thread_id": "1"}}
both_ways = pytest.mark.parametrize("how", ["sync", "async"])


def sure(n=2, threshold=0.9):
    return ScaffoldingMiddleware("calibrated", sample_num=n, method_options={"threshold": threshold})


async def asked(server, how, *tools):
    agent = create_agent(
        open_ai(server), [*tools], middleware=[AskPersonMiddleware(), sure()], checkpointer=InMemorySaver()
    )
    return agent, await run(agent, how, config=CONFIG)


async def resumed(agent, how, answer):
    command = Command(resume=answer)
    if how == "sync":
        return await asyncio.to_thread(agent.invoke, command, CONFIG)
    return await agent.ainvoke(command, CONFIG)


@both_ways
async def test_the_person_sees_the_candidates_and_what_they_say_is_the_answer(how):
    steps = Steps([says("It is 7"), says("It is 8")])
    with scripted_server(steps) as server:
        agent, paused = await asked(server, how)
        [interrupt] = paused["__interrupt__"]
        assert interrupt.value["confidence"] == 0.5
        assert interrupt.value["threshold"] == 0.9
        assert interrupt.value["unsure"] in ("It is 7", "It is 8")
        assert sorted(each["text"] for each in interrupt.value["candidates"]) == ["It is 7", "It is 8"]
        assert pickle.loads(pickle.dumps(interrupt.value)) == interrupt.value
        state = await resumed(agent, how, "It is 9")
    [message] = ai_messages(state)
    assert message.content == "It is 9"
    assert message.response_metadata["scaffolding"]["stopped"] == "abstained"
    assert message.usage_metadata["total_tokens"] == 14
    assert steps.asked == {0: 2}


@both_ways
async def test_an_answer_that_is_sure_enough_goes_on_unasked(how):
    with scripted_server(Steps([says("It is 7"), says("It is 7")])) as server:
        _, state = await asked(server, how)
    assert "__interrupt__" not in state
    assert ai_messages(state)[0].content == "It is 7"


async def test_an_empty_answer_leaves_the_abstention():
    with scripted_server(Steps([says("It is 7"), says("It is 8")])) as server:
        agent, _ = await asked(server, "async")
        state = await resumed(agent, "async", "")
    assert [message.content for message in ai_messages(state)] == ["I do not know."]


async def test_a_message_in_place_of_it_may_call_a_tool():
    steps = Steps(
        [wants(("read_file", {"path": "a"})), wants(("read_file", {"path": "b"}))], [says("done"), says("done")]
    )
    tools, ran = files()
    with scripted_server(steps) as server:
        agent, paused = await asked(server, "async", *tools)
        assert (ran, len(paused["__interrupt__"])) == ([], 1)
        call = {"name": "read_file", "args": {"path": "b"}, "id": "1", "type": "tool_call"}
        state = await resumed(agent, "async", AIMessage("", tool_calls=[call]))
    assert ran == [("read_file", "b")]
    assert len(tool_messages(state)) == 1
    assert [message.content for message in ai_messages(state)] == ["", "done"]  # in its place


async def test_what_is_no_answer_is_refused():
    with scripted_server(Steps([says("It is 7"), says("It is 8")])) as server:
        agent, _ = await asked(server, "async")
        with pytest.raises(InvalidRequestError, match="resume with"):
            await resumed(agent, "async", 7)


async def test_a_node_of_its_own_asks_in_a_graph_of_ones_own():
    steps = Steps([says("It is 7"), says("It is 8")])
    with scripted_server(steps) as server:
        model = ChatScaffolding(
            inner=open_ai(server), method="calibrated", sample_num=2, method_options={"threshold": 0.9}
        )

        async def answer(state):
            return {"messages": [await model.ainvoke(state["messages"])]}

        def ask(state):
            return {"messages": [ask_person(state["messages"][-1])]}

        graph = StateGraph(MessagesState).add_node("answer", answer).add_node("ask", ask)
        graph = graph.add_edge(START, "answer").add_edge("answer", "ask").compile(checkpointer=InMemorySaver())
        paused = await graph.ainvoke({"messages": [HumanMessage("How many?")]}, CONFIG)
        assert [each.value["confidence"] for each in paused["__interrupt__"]] == [0.5]
        state = await graph.ainvoke(Command(resume="It is 9"), CONFIG)
    assert [message.content for message in state["messages"]] == ["How many?", "It is 9"]
    assert steps.asked == {0: 2}


def test_any_other_message_is_handed_on():
    message = AIMessage("It is 7")
    assert ask_person(message) is message
