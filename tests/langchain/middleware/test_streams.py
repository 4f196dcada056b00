"""What the streams of an agent show of a voted model call: one message, and nothing of samples and judges."""

import pytest
from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda

from langchain_scaffolding.middleware import ScaffoldingMiddleware, ToolCallVoteMiddleware
from tests.langchain.doubles import FULL, KnownChat

GIVEN = {"messages": [("user", "q")]}
JUDGE = RunnableLambda(lambda given: given["answer"]) | KnownChat(answers=["12"]) | StrOutputParser()
VOTES = {
    "vote": lambda: ScaffoldingMiddleware(sample_num=3, method_options=FULL),
    "best of n": lambda: ScaffoldingMiddleware("best_of_n", sample_num=3, reward=JUDGE),
}


async def events(agent):
    return [
        event["data"]["chunk"].text
        async for event in agent.astream_events(GIVEN, version="v2")
        if event["event"] == "on_chat_model_stream"
    ]


async def log(agent):
    patches = [patch async for patch in agent.astream_log(GIVEN)]
    return [op["value"] for patch in patches for op in patch.ops if "streamed_output_str" in op["path"]]


async def messages(agent):
    return [message.text async for message, _ in agent.astream(GIVEN, stream_mode="messages")]


async def blocking_messages(agent):
    return [message.text for message, _ in agent.stream(GIVEN, stream_mode="messages")]


async def third_events(agent):
    stream = await agent.astream_events(GIVEN, version="v3")
    return [text async for message in stream.messages async for text in message.text]


@pytest.mark.filterwarnings("ignore:.*deprecated", "ignore:.*experimental")
@pytest.mark.parametrize("shown", [events, log, messages, blocking_messages, third_events])
@pytest.mark.parametrize("vote", VOTES.values(), ids=VOTES)
async def test_one_message_is_shown(shown, vote):
    model = KnownChat(answers=["seven"], calls=[], threads=[])
    assert await shown(create_agent(model, [], middleware=[vote()])) == ["seven"]


async def test_events_of_the_shown_message_begin_and_end():
    model = KnownChat(answers=["seven", "eight", "seven"], calls=[], threads=[])
    agent = create_agent(model, [], middleware=[VOTES["vote"]()])
    told = [event async for event in agent.astream_events(GIVEN, version="v2")]
    of_models = [event for event in told if "chat_model" in event["event"]]
    assert [event["event"] for event in of_models] == [
        f"on_chat_model_{what}" for what in ("start", "stream", "end")
    ]
    assert {event["name"] for event in of_models} == {"KnownChat"}
    assert of_models[-1]["data"]["output"].usage_metadata["total_tokens"] == 9


async def test_the_first_call_streams_where_only_risky_calls_are_voted_on():
    model = KnownChat(answers=["seven"], calls=[], threads=[])
    agent = create_agent(model, [], middleware=[ToolCallVoteMiddleware({"danger"})])
    assert "".join(await events(agent)) == "seven"
