"""Clients that others wrote, plain and wrapped: whatever works plainly works wrapped.

Over a scripted server that obeys: it calls the tools that it is told of, fills in the format that it is asked for,
and else says seven.
"""

import json

import httpx
import pytest
from llama_index.core import PromptTemplate
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI, OpenAIResponses
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from llamaindex_scaffolding import ScaffoldingLLM, with_best_of_n, with_majority_vote
from tests.servers.scripted import Reply, serve
from tests.servers.speaking import Speaking


class City(BaseModel):
    """A city."""

    name: str
    people: int


PARIS = City(name="Paris", people=2)
PROMPT = PromptTemplate("Which {what}?")
CHAT = [ChatMessage("be brief", role="system"), ChatMessage("q")]


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


ADD = FunctionTool.from_defaults(add)
ARGUMENTS = {"add": '{"a": 3, "b": 4}', "City": PARIS.model_dump_json()}


def obedient(body):
    answered = any(message.get("role") == "tool" for message in body.get("messages", ()))
    if body.get("tools") and body.get("tool_choice") != "none" and not answered:
        name = body["tools"][0]["function"]["name"]
        return Reply(pieces=(), tool_calls=((name, ARGUMENTS[name]),), finish="tool_calls")
    if "json_schema" in str((body.get("response_format") or {}).get("type")):
        return Reply(pieces=(ARGUMENTS["City"],))
    return Reply(pieces=("It is ", "7"))


def like(**given):
    return OpenAILike(
        model="m",
        is_chat_model=True,
        is_function_calling_model=True,
        should_use_structured_outputs=True,
        **given,
    )


CLIENTS = {
    "OpenAILike": like,
    "OpenAI": lambda **given: OpenAI(model="gpt-4", **given),  # structures by tools
    "OpenAIResponses": lambda **given: OpenAIResponses(model="gpt-4o-mini", **given),
}
WRAPPED = {
    "plain": lambda llm: llm,
    "direct": lambda llm: ScaffoldingLLM.wrap(llm, "direct"),
    "voted": lambda llm: with_majority_vote(llm, n=2, stop_rule="full"),
    "best": lambda llm: with_best_of_n(llm, lambda prompt, answer: len(answer), n=2),
}


@pytest.fixture(scope="module")
def server():
    with serve(Speaking(obedient)) as server:
        yield server


@pytest.fixture(params=WRAPPED)
def wrapped(request):
    return WRAPPED[request.param]


@pytest.fixture(params=CLIENTS)
async def llm(request, server, wrapped):
    with httpx.Client(verify=False) as client:  # loads no certificates, which takes longer than a test
        async with httpx.AsyncClient(verify=False) as async_client:
            clients = {"http_client": client, "async_http_client": async_client}
            yield wrapped(CLIENTS[request.param](api_base=server.url, api_key="k", **clients))


async def test_chats_and_completions(llm):
    assert llm.chat(CHAT).message.content == "It is 7"
    assert (await llm.achat(CHAT)).message.content == "It is 7"
    assert llm.complete("q").text == "It is 7"
    assert (await llm.acomplete("q")).text == "It is 7"


async def test_streams(llm):
    assert "".join(piece.delta or "" for piece in llm.stream_chat(CHAT)) == "It is 7"
    assert "".join([piece.delta or "" async for piece in await llm.astream_chat(CHAT)]) == "It is 7"
    assert "".join(piece.delta or "" for piece in llm.stream_complete("q")) == "It is 7"
    assert "".join([piece.delta or "" async for piece in await llm.astream_complete("q")]) == "It is 7"


async def test_tools(llm):
    streamed = [*llm.stream_chat_with_tools([ADD], "q")][-1]
    for response in llm.chat_with_tools([ADD], "q"), await llm.achat_with_tools([ADD], "q"), streamed:
        (call,) = llm.get_tool_calls_from_response(response)
        assert (call.tool_name, call.tool_kwargs) == ("add", {"a": 3, "b": 4})
    assert llm.predict_and_call([ADD], "q").response == "7"


async def test_an_agent(llm):
    assert str(await FunctionAgent(llm=llm, tools=[ADD]).run("3 and 4?")) == "It is 7"


async def test_structures(llm):
    assert llm.structured_predict(City, PROMPT, what="city") == PARIS
    assert await llm.astructured_predict(City, PROMPT, what="city") == PARIS
    response = llm.as_structured_llm(City).chat(CHAT)
    assert (response.raw, json.loads(response.message.content)) == (PARIS, PARIS.model_dump())


@pytest.mark.parametrize("llm", ["OpenAILike", "OpenAI"], indirect=True)  # a plain OpenAIResponses streams none
async def test_streamed_structures(llm):
    assert [*llm.stream_structured_predict(City, PROMPT, what="city")][-1] == PARIS
    assert [city async for city in await llm.astream_structured_predict(City, PROMPT, what="city")][-1] == PARIS
