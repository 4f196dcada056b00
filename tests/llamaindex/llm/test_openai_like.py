"""llama-index-llms-openai-like as the wrapped LLM, on the scripted server and on the embedded model."""

import itertools
import json
import logging
import pickle

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import BadRequestError
from tests.llamaindex.servers import FULL, openai_like
from tests.servers.scripted import Paced, Reply, scripted_server

CHAT = [ChatMessage("be brief", role="system"), ChatMessage("q")]


@pytest.fixture
async def server():
    said = itertools.cycle([("it is ", "7"), ("8",), ("so ", "7")])
    with scripted_server(lambda body: Reply(pieces=next(said))) as server:
        yield server


@pytest.fixture
async def llm(server):
    async with openai_like(server.url, sample_num=3, method_options=FULL) as llm:
        yield llm


async def test_each_of_the_eight_calls_votes_and_counts_every_sample(llm):
    responses = [
        llm.chat(CHAT),
        await llm.achat(CHAT),
        list(llm.stream_chat(CHAT))[-1],
        [r async for r in await llm.astream_chat(CHAT)][-1],
        llm.complete("q"),
        await llm.acomplete("q"),
        list(llm.stream_complete("q"))[-1],
        [r async for r in await llm.astream_complete("q")][-1],
    ]
    for response in responses:
        assert response.raw["votes"] == {"7": 2, "8": 1}
        assert (response.raw["usage"]["total_tokens"], response.raw["usage"]["calls"]) == (21, 3)
        assert response.raw["finish_reason"] == "stop"


async def test_one_branch_streams_its_deltas(server):
    paced = server.script = Paced("it is ", "7")
    async with openai_like(server.url, method="direct") as llm:
        deltas = [paced.take(r.delta) async for r in await llm.astream_chat(CHAT)]
        assert [delta for delta in deltas if delta] == ["it is ", "7"]
        assert "".join(paced.take(r.delta) for r in llm.stream_chat(CHAT)) == "it is 7"


async def test_its_window_name_and_abilities_are_shown(llm):
    assert llm.metadata == llm.llm.metadata
    assert (llm.metadata.context_window, llm.metadata.model_name) == (777, "m")


async def test_parameters_reach_the_server(llm, server):
    await llm.achat(CHAT, temperature=0.4, max_tokens=9, extra_body={"top_k": 3})
    sent = server.requests[0]
    assert (sent["temperature"], sent["max_tokens"], sent["top_k"]) == (0.4, 9, 3)
    assert sent["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "q"}]


async def test_no_key_is_in_plain_data_and_a_round_trip_keeps_the_rest(llm):
    data = json.loads(llm.to_json())
    assert "sk-secret" not in json.dumps(data)
    again = ScaffoldingLLM.from_dict(data)
    assert isinstance(again.llm, OpenAILike)
    assert (again.llm.api_base, again.sample_num, again.metadata) == (llm.llm.api_base, 3, llm.metadata)


async def test_it_pickles_without_its_connections(llm, caplog):
    caplog.set_level(logging.ERROR)
    again = pickle.loads(pickle.dumps(llm))
    assert (again.llm.api_key, again.sample_num) == ("sk-secret", 3)


async def test_what_the_server_refuses_is_the_reason(server):
    server.script = Reply(status=400, body={"error": {"message": "too long"}})
    async with openai_like(server.url, sample_num=2) as llm:
        with pytest.raises(BadRequestError, match="too long"):
            await llm.achat(CHAT)
    assert len(server.requests) <= 2


async def test_thoughts_of_the_server_stay_thoughts(server):
    server.script = Reply(pieces=("7",), reasoning="six sevens")
    async with openai_like(server.url, method="direct") as llm:
        responses = [r async for r in await llm.astream_chat(CHAT)]
        assert "".join(r.additional_kwargs.get("thinking_delta", "") for r in responses) == "six sevens"
        assert responses[-1].message.content == "7"


async def test_on_the_embedded_model(embedded_url):
    async with openai_like(embedded_url, sample_num=2, temperature=0.2, max_tokens=8) as llm:
        for response in (llm.chat(CHAT), await llm.achat(CHAT)):
            assert response.message.content
            assert response.raw["usage"]["prompt_tokens"] > 0


def test_a_field_says_how_many_samples_one_request_of_a_server_may_ask_for():
    with scripted_server(Reply()) as server:
        with ScaffoldingLLM(
            "majority_vote", sample_num=3, method_options=FULL, api_base=server.url, model="m", siblings=1
        ) as llm:
            llm.chat(CHAT)
    assert [body.get("n") for body in server.requests] == [None] * 3
