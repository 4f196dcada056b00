"""Agents and chat engines on a ScaffoldingLLM: what most samples want is done.

On the scripted server, since the embedded model calls no tools; through a worker of ours, and through
llama-index-llms-openai-like as the wrapped LLM.
"""

import itertools

import pytest
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ToolCallResult
from llama_index.core.chat_engine import CondensePlusContextChatEngine, ContextChatEngine, SimpleChatEngine
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import FunctionWorker, InvalidRequestError
from tests.llamaindex.engines import summary_index
from tests.llamaindex.servers import FULL, openai_like, own
from tests.servers.scripted import Reply, scripted_server


def cities():
    """Two of three samples ask for the weather in Paris; what the tool tells is the answer."""
    wanted = itertools.cycle(["Paris", "Rome", "Paris"])

    def script(body):
        if body["messages"][-1]["role"] == "tool":
            return Reply(pieces=(f"It is {body['messages'][-1]['content']}.",))
        call = ("weather", f'{{"city": "{next(wanted)}"}}')
        return Reply(pieces=(), tool_calls=(call,), finish="tool_calls")

    return script


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


TOOL = FunctionTool.from_defaults(weather)


@pytest.fixture(params=[own, openai_like])
async def llm(request):
    with scripted_server(cities()) as server:
        async with request.param(server.url, sample_num=3, method_options=FULL) as llm:
            yield llm


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_function_agent_calls_the_tool_that_most_samples_want(llm, streaming):
    result = await FunctionAgent(tools=[weather], llm=llm, streaming=streaming).run("How is the weather?")
    assert str(result) == "It is sunny in Paris."
    assert [call.tool_kwargs for call in result.tool_calls] == [{"city": "Paris"}]
    assert result.raw["votes"] == {"It is sunny in Paris.": 3}


async def test_an_agent_workflow_shows_the_voted_call_in_its_stream(llm):
    handler = AgentWorkflow.from_tools_or_functions([weather], llm=llm).run(user_msg="How is the weather?")
    events = [event async for event in handler.stream_events()]
    assert str(await handler) == "It is sunny in Paris."
    assert [event.tool_kwargs for event in events if isinstance(event, ToolCallResult)] == [{"city": "Paris"}]
    shown = [event for event in events if isinstance(event, AgentStream)]
    assert "".join(event.delta for event in shown) == "It is sunny in Paris."
    assert shown[-1].raw["usage"]["calls"] == 3


async def test_each_way_to_chat_with_tools_gives_the_voted_call(llm):
    history = [ChatMessage("hello")]
    ways = [
        llm.chat_with_tools([TOOL], "weather?", chat_history=history),
        await llm.achat_with_tools([TOOL], "weather?", chat_history=history),
        list(llm.stream_chat_with_tools([TOOL], "weather?", chat_history=history))[-1],
        [r async for r in await llm.astream_chat_with_tools([TOOL], "weather?", chat_history=history)][-1],
    ]
    for response in ways:
        (call,) = llm.get_tool_calls_from_response(response)
        assert (call.tool_name, call.tool_kwargs) == ("weather", {"city": "Paris"})
        assert call.tool_id
    assert history == [ChatMessage("hello")]


async def test_predict_and_call_runs_the_voted_call_once(llm):
    assert str(llm.predict_and_call([TOOL], "weather?")) == "sunny in Paris"
    assert str(await llm.apredict_and_call([TOOL], "weather?")) == "sunny in Paris"


@pytest.mark.parametrize("way", [own, openai_like])
async def test_only_one_call_is_left_where_parallel_ones_are_not_allowed(way):
    calls = (("weather", '{"city": "Paris"}'), ("weather", '{"city": "Rome"}'))
    with scripted_server(Reply(pieces=(), tool_calls=calls, finish="tool_calls")) as server:
        async with way(server.url, sample_num=2) as model:
            one = await model.achat_with_tools([TOOL], "weather?")
            two = await model.achat_with_tools([TOOL], "weather?", allow_parallel_tool_calls=True)
            assert [len(model.get_tool_calls_from_response(r)) for r in (one, two)] == [1, 2]


@pytest.mark.parametrize("way", [own, openai_like])
async def test_no_call_is_an_error_only_where_one_is_expected(way):
    with scripted_server(Reply(pieces=("no",))) as server:
        async with way(server.url, sample_num=2) as model:
            response = await model.achat_with_tools([TOOL], "weather?")
            assert model.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
            with pytest.raises(ValueError, match="at least one tool call"):
                model.get_tool_calls_from_response(response)


def test_arguments_that_are_cut_short_are_read_as_far_as_they_go():
    calls = (("weather", '{"days": 2, "city": "Par'),)
    with scripted_server(Reply(pieces=(), tool_calls=calls, finish="length")) as server:
        model = ScaffoldingLLM("direct", api_base=server.url, model="m")
        response = model.chat_with_tools([TOOL], "weather?")
        assert model.get_tool_calls_from_response(response)[0].tool_kwargs == {"city": None, "days": 2}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, "auto"),
        ({"tool_required": True}, "required"),
        ({"tool_choice": "none"}, "none"),
        ({"tool_choice": "weather"}, {"type": "function", "function": {"name": "weather"}}),
    ],
)
async def test_how_tools_may_be_called_is_told_to_the_server(given, sent):
    with scripted_server(Reply(pieces=("no",))) as server:
        async with own(server.url, sample_num=2) as model:
            await model.achat_with_tools([TOOL], "weather?", **given)
        assert [request["tool_choice"] for request in server.requests] == [sent] * len(server.requests)


def test_a_wrapped_llm_that_calls_no_tools_is_refused_them():
    llm = ScaffoldingLLM.wrap(MockLLM(), "direct")
    with pytest.raises(InvalidRequestError, match="calls no tools"):
        llm.chat_with_tools([TOOL], "weather?")


def memory():
    """One that opens no database, as LlamaIndex's default does."""
    return ChatMemoryBuffer.from_defaults(token_limit=1000)


async def test_chat_engines_remember_the_voted_answer():
    def answer(task):
        siblings = [other for other in asked if other.group is task.group]
        asked.append(task)
        return ["Paris", "Rome", "Paris"][len(siblings)]

    asked = []
    llm = ScaffoldingLLM(worker=FunctionWorker(answer), sample_num=3, method_options=FULL)
    retriever = summary_index("Paris is the capital.").as_retriever()
    for engine in (
        SimpleChatEngine.from_defaults(llm=llm, memory=memory()),
        ContextChatEngine.from_defaults(retriever=retriever, llm=llm, memory=memory()),
        CondensePlusContextChatEngine.from_defaults(retriever=retriever, llm=llm, memory=memory()),
    ):
        assert str(engine.chat("Which city?")) == "Paris"
        assert "".join(engine.stream_chat("And now?").response_gen) == "Paris"
        assert str(await engine.achat("Again?")) == "Paris"
        streamed = await engine.astream_chat("Once more?")
        assert "".join([text async for text in streamed.async_response_gen()]) == "Paris"
        assert [message.content for message in engine.chat_history if message.role == "assistant"] == ["Paris"] * 4
