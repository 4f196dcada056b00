"""Log probabilities, asked for and told as ChatOpenAI does; and other fields that a server gets as they are."""

import httpx
import pytest
from langchain_openai import ChatOpenAI

from langchain_scaffolding import ChatScaffolding, ScaffoldingLLM
from tests.langchain.doubles import FULL, each_way
from tests.servers.scripted import Reply, scripted_server

TOP = [{"token": "7", "bytes": [55], "logprob": -0.1}, {"token": "8", "bytes": [56], "logprob": -2.0}]
TOLD = {"content": [{**TOP[0], "top_logprobs": TOP}]}


@pytest.fixture
def server():
    with scripted_server(Reply(logprobs=TOLD)) as server:
        yield server


@pytest.mark.parametrize("method", ["direct", "majority_vote"])
@pytest.mark.parametrize("by", ["fields", "call"])
async def test_a_servers_are_told_in_the_metadata(server, method, by):
    asked = {"logprobs": True, "top_logprobs": 2}
    model = ChatScaffolding(method=method, base_url=server.url, **(asked if by == "fields" else {}))
    async for message in each_way(model, "q", **({} if by == "fields" else asked)):
        assert message.response_metadata["logprobs"] == TOLD
    assert all(body["logprobs"] is True and body["top_logprobs"] == 2 for body in server.requests)
    await model.aclose()


async def test_nobody_is_told_of_them_who_did_not_ask(server):
    model = ChatScaffolding(method="direct", base_url=server.url)
    await model.ainvoke("q", logprobs=False)
    assert "logprobs" not in server.requests[-1]
    await model.ainvoke("q", logprobs=True)
    assert server.requests[-1]["top_logprobs"] == 0
    await model.aclose()


@pytest.mark.parametrize("of", ["client", "wrapper"])
def test_a_wrapped_clients_are_as_it_tells_them_itself(server, of):
    asked = {"logprobs": True, "top_logprobs": 2}
    with httpx.Client() as client:
        bare = ChatOpenAI(base_url=server.url, api_key="none", model="m", http_client=client, **asked)
        inner = bare if of == "client" else bare.model_copy(update=dict.fromkeys(asked))
        model = ChatScaffolding.wrap(
            inner, sample_num=2, method_options=FULL, **(asked if of == "wrapper" else {})
        )
        expected = bare.invoke("q").response_metadata["logprobs"]
        first, *rest = model.stream("q")
        for message in (model.invoke("q"), sum(rest, first)):
            assert message.response_metadata["logprobs"] == expected


def test_a_server_gets_top_k_and_what_else_is_to_be_in_the_request(server):
    for kind in (ChatScaffolding, ScaffoldingLLM):
        model = kind(method="direct", base_url=server.url, top_k=5, extra_body={"min_p": 0.1})
        model.invoke("q", model="other")
        assert {name: server.requests[-1][name] for name in ("top_k", "min_p", "model")} == {
            "top_k": 5, "min_p": 0.1, "model": "other",
        }  # fmt: skip
        model.close()
