"""What a method asks beside the answer, at a model that was given tools or a structure for the answer."""

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import BaseModel

from langchain_scaffolding import ChatScaffolding
from langchain_scaffolding.middleware import ScaffoldingMiddleware
from tests.langchain.agents import ai_messages, files, open_ai, run, says, tool_messages, wants_own
from tests.servers.scripted import scripted_server

FORMS = ("tools", "tool_choice", "response_format", "parallel_tool_calls")
CALL = {"name": "read_file", "args": {"path": "a"}, "id": "1"}


class Weather(BaseModel):
    """The weather of a city."""

    degrees: int


def given(body):
    return {name for name in FORMS if body.get(name) is not None}


def reviewing(answer, *, first=None):
    """Answers, finds fault with the first answer, and nothing with the second."""

    def reply(body):
        asked = body["messages"][-1]["content"]
        if "Review that answer" in str(asked):
            return says("too cold" if body["messages"][-2]["content"] == answer else "NOTHING TO IMPROVE")
        if "That answer was reviewed" in str(asked):
            return says('{"degrees": 8}')
        return says(answer) if first is None else first(body)

    return reply


async def test_feedback_is_asked_for_without_the_tools_that_the_answer_has():
    tools, _ = files()
    with scripted_server(reviewing("7")) as server:
        model = ChatScaffolding.wrap(open_ai(server), method="self_refine").bind_tools(tools, tool_choice="auto")
        message = await model.ainvoke("q")
    assert message.content == '{"degrees": 8}'
    with_tools = {"tools", "tool_choice"}
    assert [given(body) for body in server.requests] == [with_tools, set(), with_tools, set()]


async def test_behind_calls_of_tools_they_stay_known():
    tools, _ = files()
    chat = [HumanMessage("q"), AIMessage("", tool_calls=[CALL]), ToolMessage("text", tool_call_id="1")]
    with scripted_server(reviewing("7")) as server:
        await ChatScaffolding.wrap(open_ai(server), method="self_refine").bind_tools(tools).ainvoke(chat)
    assert [given(body) for body in server.requests] == [{"tools"}] * 4


async def test_feedback_on_a_structure_is_no_structure():
    with scripted_server(reviewing('{"degrees": 7}')) as server:
        model = ChatScaffolding.wrap(open_ai(server), method="self_refine")
        weather = await model.with_structured_output(Weather, method="json_schema").ainvoke("q")
    assert weather == Weather(degrees=8)
    assert [given(body) for body in server.requests] == [{"response_format"}, set()] * 2


@pytest.mark.parametrize("how", ["sync", "async"])
async def test_in_an_agent_a_call_is_handed_on_and_the_answer_refined(how):
    def first(body):
        seen = any(message["role"] == "tool" for message in body["messages"])
        return says('{"degrees": 7}') if seen else wants_own("read_file", path="a")

    tools, ran = files()
    with scripted_server(reviewing('{"degrees": 7}', first=first)) as server:
        middleware = [ScaffoldingMiddleware("self_refine")]
        agent = create_agent(
            open_ai(server), tools, middleware=middleware, response_format=ProviderStrategy(Weather)
        )
        state = await run(agent, how)
    assert ran == [("read_file", "a")]
    assert len(tool_messages(state)) == 1
    assert ai_messages(state)[-1].content == '{"degrees": 8}'
    assert state["structured_response"] == Weather(degrees=8)
    whole, known = {"tools", "response_format"}, {"tools"}
    assert [given(body) & whole for body in server.requests] == [whole, whole, known, whole, known]
