"""Messages in and out: every kind and content, to servers and to wrapped models, and what comes with an answer.

On the scripted server and a scripted model, which tell what reached them.
"""

import json

import httpx
import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import (
    AIMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.ai import add_usage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI

from langchain_scaffolding import ChatScaffolding, ScaffoldingRunnable, with_chain_of_thought
from langchain_scaffolding.middleware import ScaffoldingMiddleware
from scaffolding_core import InvalidRequestError
from tests.langchain.doubles import FULL, Scripted, each_way, voted
from tests.servers.scripted import Reply, scripted_server

TEXT = {"type": "text", "text": "look"}
CALL = {"name": "f", "args": {"a": 1}, "id": "1", "type": "tool_call"}
PNG, WAV, PDF = "data:image/png;base64,AA", {"data": "AA", "format": "wav"}, "data:application/pdf;base64,AA"


def user(*parts):
    return {"role": "user", "content": list(parts)}


def image(url):
    return {"type": "image_url", "image_url": {"url": url}}


def said(text, **more):
    return {"role": "assistant", "content": text, **more}


def called(arguments):
    return [{"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}]


SENT = {
    "image": (
        HumanMessage([TEXT, {"type": "image", "base64": "AA", "mime_type": "image/png"}]),
        user(TEXT, image(PNG)),
    ),
    "image by address": (
        HumanMessage([{"type": "image", "url": "http://x/y.png"}]),
        user(image("http://x/y.png")),
    ),
    "image in OpenAI's form": (HumanMessage([image(PNG)]), user(image(PNG))),
    "image in Anthropic's form": (
        HumanMessage([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}]),
        user(image(PNG)),
    ),
    "audio": (
        HumanMessage([{"type": "audio", "base64": "AA", "mime_type": "audio/wav"}]),
        user({"type": "input_audio", "input_audio": WAV}),
    ),
    "file": (
        HumanMessage(
            [{"type": "file", "base64": "AA", "mime_type": "application/pdf", "extras": {"filename": "a.pdf"}}]
        ),
        user({"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}}),
    ),
    "system": (SystemMessage("be brief"), {"role": "system", "content": "be brief"}),
    "named": (HumanMessage("hey", name="Ann"), {"role": "user", "content": "hey", "name": "Ann"}),
    "named answer": (AIMessage("hi", name="Bo"), said("hi", name="Bo")),
    "named system": (
        SystemMessage("so", name="example_user"),
        {"role": "system", "content": "so", "name": "example_user"},
    ),
    "chat": (ChatMessage("hey", role="user"), {"role": "user", "content": "hey"}),
    "reasoning": (
        AIMessage([{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "hi"}]),
        said([{"type": "text", "text": "hi"}]),
    ),
    "thinking": (
        AIMessage([{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "hi"}]),
        said([{"type": "text", "text": "hi"}]),
    ),
    "reasoning alone, with a call": (
        AIMessage([{"type": "reasoning", "reasoning": "hm"}], tool_calls=[CALL]),
        said("", tool_calls=called('{"a": 1}')),
    ),
    "refusal": (
        AIMessage([{"type": "refusal", "refusal": "no"}]),
        said([{"type": "refusal", "refusal": "no"}]),
    ),
    "tool call": (AIMessage("so", tool_calls=[CALL]), said("so", tool_calls=called('{"a": 1}'))),
    "invalid tool call": (
        AIMessage("", invalid_tool_calls=[{**CALL, "type": "invalid_tool_call", "args": "{", "error": "e"}]),
        said("", tool_calls=called("{")),
    ),
    "tool": (
        ToolMessage("r", tool_call_id="1", name="f", artifact={"a": 1}),
        {"role": "tool", "content": "r", "tool_call_id": "1"},
    ),
    "tool that failed": (
        ToolMessage("boom", tool_call_id="1", status="error"),
        {"role": "tool", "content": "boom", "tool_call_id": "1"},
    ),
    "tool with an image": (
        ToolMessage([{"type": "image", "base64": "AA", "mime_type": "image/png"}], tool_call_id="1"),
        {"role": "tool", "content": [image(PNG)], "tool_call_id": "1"},
    ),
}
STRANGE = {
    "video": HumanMessage([{"type": "video", "base64": "AA", "mime_type": "video/mp4"}, TEXT]),
    "odd role": ChatMessage("look", role="critic"),
    "function": FunctionMessage("look", name="f"),
}


@pytest.fixture(scope="module")
def server():
    def script(body):
        usage = {"prompt_tokens": 5, "completion_tokens": 3 * body.get("n", 1)}
        return Reply(reasoning="so I think", pieces=("it is ", "7"), usage=usage)

    with scripted_server(script) as running:
        yield running


@pytest.mark.parametrize("kind", SENT)
def test_a_server_gets_each_kind_in_openais_form(server, kind):
    message, expected = SENT[kind]
    model = ChatScaffolding(base_url=server.url, method="direct")
    assert model.invoke([HumanMessage("first"), message]).text == "it is 7"
    assert server.requests[-1]["messages"][-1] == expected
    model.close()


@pytest.mark.parametrize("kind", [*SENT, *STRANGE])
@pytest.mark.parametrize("method", ["majority_vote", "chain_of_thought"])
def test_a_wrapped_model_gets_each_message_itself(kind, method):
    message = SENT[kind][0] if kind in SENT else STRANGE[kind]
    inner = Scripted(answers=["7"])
    ChatScaffolding.wrap(inner, method).invoke([message, HumanMessage("and?")])
    assert inner.calls[0][0][0] == message


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("method", ["majority_vote", "chain_of_thought"])
def test_so_do_a_sampled_chain_and_an_agents_model_in_a_middleware(kind, method):
    message = STRANGE[kind]
    inner = Scripted(answers=["7"])
    ScaffoldingRunnable.wrap(inner | StrOutputParser(), method).invoke([message, HumanMessage("and?")])
    agent = create_agent(inner, middleware=[ScaffoldingMiddleware(method)])
    agent.invoke({"messages": [message, HumanMessage("and?")]})
    asked = [call[0][0] for call in (inner.calls[0], inner.calls[-1])]
    assert [(type(each), each.content) for each in asked] == [(type(message), message.content)] * 2


@pytest.mark.parametrize("kind", STRANGE)
def test_what_has_no_form_for_a_server_is_one_typed_error(kind):
    model = ChatScaffolding(base_url="http://127.0.0.1:1/v1", method="direct")
    with pytest.raises(InvalidRequestError, match="no form in OpenAI's API"):
        model.invoke([STRANGE[kind]])


@pytest.mark.parametrize("method", ["direct", "majority_vote", "best_of_n"])
async def test_an_answer_has_text_reasoning_usage_and_what_the_method_did(server, method):
    n = {} if method == "direct" else {"sample_num": 2}
    reward = {"reward": lambda prompt, answer: 0.5} if method == "best_of_n" else {}
    model = ChatScaffolding(base_url=server.url, method=method, **n, **reward)
    streamed = [*model.stream("q")]
    for message in (model.invoke("q"), await model.ainvoke("q"), sum(streamed[1:], streamed[0])):
        assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]
        assert message.content_blocks[0]["reasoning"] == "so I think"
        assert message.text == "it is 7"
        samples = n.get("sample_num", 1)
        calls = message.response_metadata["scaffolding"]["usage"]["calls"]
        requests = calls - (method == "best_of_n")  # equal answers are scored once
        assert 1 <= requests <= samples  # one request may bring several samples
        assert message.usage_metadata["total_tokens"] == 5 * requests + 3 * samples
        assert message.response_metadata["finish_reason"] == "stop"
        assert message.response_metadata["model_name"] == "scripted-model"
        details = message.response_metadata["scaffolding"]
        assert details["samples"] == samples
        assert details["stopped"] in ("complete", "decided")
        assert isinstance(details["trace_id"], int)
        json.dumps(details)  # plain data
        if method == "majority_vote":
            assert (details["answer"], details["votes"], details["agreement"]) == ("7", {"7": 2}, 1.0)
            assert [candidate["text"] for candidate in details["candidates"]] == ["it is 7"] * 2
        if method == "best_of_n":
            assert details["score"] == 0.5
    await model.aclose()
    model.close()


async def test_the_v1_format_is_content_blocks(server):
    model = ChatScaffolding(base_url=server.url, sample_num=2, output_version="v1")
    streamed = [*model.stream("q")]
    for message in (await model.ainvoke("q"), sum(streamed[1:], streamed[0])):
        assert [block["type"] for block in message.content] == ["reasoning", "text"]
        assert message.content[1]["text"] == "it is 7"
    await model.aclose()
    model.close()


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_tool_calls_come_out_whole_in_both_formats(version):
    both = (("f", '{"a": 1}'), ("g", '{"b": [1, 2]}'))
    with scripted_server(Reply(pieces=("so",), tool_calls=both, finish="tool_calls")) as server:
        model = ChatScaffolding(base_url=server.url, sample_num=2, output_version=version)
        streamed = [*model.stream("q")]
        for message in (model.invoke("q"), sum(streamed[1:], streamed[0])):
            assert [(c["name"], c["args"]) for c in message.tool_calls] == [("f", {"a": 1}), ("g", {"b": [1, 2]})]
            assert [c["id"] for c in message.tool_calls] == ["call-0", "call-1"]
            kinds = [block["type"] for block in message.content_blocks]
            assert kinds == ["text", "tool_call", "tool_call"]
            assert message.response_metadata["finish_reason"] == "tool_calls"
        model.close()


SIGNED = [
    {"type": "thinking", "thinking": "hm", "signature": "s"},
    {"type": "text", "text": "7"},
    {"type": "image", "base64": "AA", "mime_type": "image/png"},
]


async def test_a_providers_own_content_blocks_survive_the_vote_in_each_way_of_calling():
    model, _ = voted([AIMessage(SIGNED), AIMessage("8"), AIMessage(SIGNED)])
    async for message in each_way(model, "q"):
        assert message.content == SIGNED
    async for message in each_way(ChatScaffolding.wrap(Scripted(answers=[AIMessage(SIGNED)]), "direct"), "q"):
        assert message.content == SIGNED
    model, _ = voted([AIMessage(SIGNED)] * 3, output_version="v1")
    async for message in each_way(model, "q"):
        assert [block["type"] for block in message.content_blocks] == ["non_standard", "text", "image"]


@pytest.mark.parametrize("method", ["direct", "majority_vote"])
@pytest.mark.parametrize("candidates", [None, "reasoning", "events"])
async def test_they_survive_where_a_graph_streams_what_its_node_invokes(method, candidates):
    inner = Scripted(answers=[AIMessage(SIGNED)])
    agent = create_agent(ChatScaffolding.wrap(inner, method, stream_candidates=candidates))
    given = {"messages": [("user", "q")]}
    for streamed in (
        [item async for item in agent.astream(given, stream_mode=["messages", "values"])],
        list(agent.stream(given, stream_mode=["messages", "values"])),
    ):
        kept = [item for mode, item in streamed if mode == "values"][-1]["messages"][-1]
        shown = [message for mode, (message, *_) in streamed if mode == "messages"]
        assert kept.content == SIGNED
        assert {chunk.id for chunk in shown} == {kept.id}


USED = {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3}
MARK = {"cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text-plain", "text": "THE DOCUMENT", "mime_type": "text/plain"},
        {"type": "document", "source": {"type": "text", "data": "THE DOCUMENT"}, **MARK},
        {"type": "image", "base64": "AA", "mime_type": "image/png"},
        {"cachePoint": {"type": "default"}},
        {"type": "text", "text": "a long preamble", **MARK},
    ],
    ids=["text-plain", "document", "image", "cache_point", "cache_mark"],
)
async def test_every_block_stays_in_its_place_where_a_method_adds_its_words(block):
    asked = {"type": "text", "text": "How tall?"}
    system = SystemMessage([{"type": "text", "text": "Be brief.", **MARK}, {"cachePoint": {"type": "default"}}])
    human = HumanMessage([block, asked], name="ann", additional_kwargs={"kept": 1})
    inner = Scripted(answers=["7"])
    for model in (inner, inner | StrOutputParser()):
        await with_chain_of_thought(model, instruction="Think.").ainvoke([system, human])
    for (first, last), _ in inner.calls:
        assert first is system
        assert last.content == [block, asked, {"type": "text", "text": "Think."}]
        assert (last.name, last.additional_kwargs) == ("ann", {"kept": 1})
    assert human.content == [block, asked]


def test_a_wrapped_providers_usage_details_add_up_as_it_tells_them():
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 6,
        "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 1, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0},
    }
    with httpx.Client() as client, scripted_server(Reply(usage=usage)) as server:
        inner = ChatOpenAI(base_url=server.url, api_key="none", model="m", http_client=client)
        bare = inner.invoke("q").usage_metadata
        model = ChatScaffolding.wrap(inner, sample_num=3, method_options=FULL)
        for got in (model.invoke("q").usage_metadata, [*model.stream("q")][-1].usage_metadata):
            assert got == add_usage(bare, add_usage(bare, bare))


def test_an_answer_is_told_under_the_name_of_the_model_that_gave_it():
    def answered(name):
        return AIMessage("7", response_metadata={"model_name": name}, usage_metadata=USED)

    failing = RunnableLambda(lambda messages: 1 / 0)
    for inner in (
        Scripted(answers=[answered("dear")]),
        failing.with_fallbacks([Scripted(answers=[answered("dear")])]),
    ):
        with get_usage_metadata_callback() as told:
            message = ChatScaffolding.wrap(inner, sample_num=2, method_options=FULL).invoke("q")
        assert message.response_metadata["model_name"] == "dear"
        assert list(told.usage_metadata) == ["dear"]


def test_the_output_of_a_model_tells_what_all_its_answers_cost():
    model, _ = voted(["7"], n=2)
    told = model.generate([[HumanMessage("a")], [HumanMessage("b")]]).llm_output
    assert told["token_usage"] == {"prompt_tokens": 8, "completion_tokens": 4, "total_tokens": 12}
    assert told["model_name"] == "Scripted"


@pytest.mark.parametrize("method", ["direct", "majority_vote"])
@pytest.mark.parametrize(
    "declined",
    [
        AIMessage("", additional_kwargs={"refusal": "I can't help."}),
        AIMessage([{"type": "refusal", "refusal": "I can't help."}]),
    ],
)
async def test_a_refusal_that_a_provider_tells_apart_is_read_and_stays_where_it_was(method, declined):
    model = ChatScaffolding.wrap(Scripted(answers=[declined]), method)
    async for message in each_way(model, "q"):
        assert message.text == ""
        assert message.additional_kwargs == declined.additional_kwargs
        assert [block["type"] for block in message.content if isinstance(block, dict)] == (
            [] if declined.content == "" else ["refusal"]
        )
        for candidate in message.response_metadata["scaffolding"]["candidates"]:
            assert candidate["text"] == "I can't help."


def test_negative_counts_of_a_wrapped_model_are_none():
    usage = {"input_tokens": -3, "output_tokens": 2, "total_tokens": -1}
    model = FakeMessagesListChatModel(responses=[AIMessage("7", usage_metadata=usage)])
    message = ChatScaffolding.wrap(model, "direct").invoke("q")
    assert (message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"]) == (0, 2)
