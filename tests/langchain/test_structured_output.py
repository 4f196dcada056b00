"""Structured output: each way to it, for the plain and the wrapped model, voted on whole and by field.

On the scripted server, where the samples of a vote are known; by JSON schema on the embedded model too, which
only a grammar holds to a structure.
"""

import itertools
import json

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, SystemMessage
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from typing_extensions import TypedDict

from langchain_scaffolding import ChatScaffolding
from scaffolding_core import InvalidRequestError
from tests.langchain.doubles import FULL, Scripted
from tests.servers.scripted import Paced, Reply, scripted_server

WAYS = ["function_calling", "json_schema", "json_mode"]


class City(BaseModel):
    """A city."""

    name: str
    people: int


class CityDict(TypedDict):
    """A city."""

    name: str
    people: int


PARIS, ROME = {"name": "Paris", "people": 2}, {"name": "Rome", "people": 3}

DIVIDED = [{"name": "Paris", "people": 1}, {"name": "Paris", "people": 2}, ROME, {"name": "Oslo", "people": 3}]
AGREED = {"name": "Paris", "people": 3}  # and no sample says so


def answering(*cities):
    """Each request gets the next city, as a tool call if it names a tool, else as JSON."""
    drawn = itertools.cycle(cities)

    def script(body):
        city = json.dumps(next(drawn))
        if body.get("tools"):
            return Reply(
                pieces=(), tool_calls=((body["tools"][0]["function"]["name"], city),), finish="tool_calls"
            )
        return Reply(pieces=(city[:4], city[4:]))

    return script


@pytest.fixture(params=["plain", "wrapped"])
def build(request):
    """Makes a model on a server, of its own or wrapped."""
    clients = []

    def make(server, **fields):
        fields = {"sample_num": 3, "seed": 1, "method_options": FULL, **fields}
        if request.param == "plain":
            return ChatScaffolding(base_url=server.url, **fields)
        clients.append(httpx.Client())
        inner = ChatOpenAI(base_url=server.url, api_key="none", model="m", http_client=clients[-1])
        return ChatScaffolding(inner=inner, **fields)

    yield make
    for client in clients:
        client.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("schema", [City, CityDict, City.model_json_schema()], ids=["pydantic", "typed", "json"])
def test_samples_vote_on_whole_structures(build, way, schema):
    reordered = dict(reversed(PARIS.items()))
    with scripted_server(answering(PARIS, ROME, reordered)) as server:
        model = build(server)
        structured = model.with_structured_output(schema, method=way)
        expected = City(**PARIS) if schema is City else PARIS
        assert structured.invoke("q") == expected
        assert list(structured.stream("q"))[-1] == expected
        model.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_vote_by_field_takes_each_field_from_where_most_agree(build, way):
    with scripted_server(answering(*DIVIDED)) as server:
        model = build(server, method="field_vote", sample_num=4)
        got = model.with_structured_output(City, method=way, include_raw=True).invoke("q")
        assert got["parsed"] == City(**AGREED)
        assert got["raw"].response_metadata["scaffolding"]["answer"] == AGREED
        streamed = model.with_structured_output(CityDict, method=way).stream("q")
        assert list(streamed)[-1] == AGREED
        model.close()


async def test_a_vote_by_field_may_be_asked_for_by_configuration(build):
    with scripted_server(answering(*DIVIDED)) as server:
        model = build(server, sample_num=4)
        structured = model.with_structured_output(City).with_config(configurable={"method": "field_vote"})
        assert structured.invoke("q") == City(**AGREED)
        model.close()


@pytest.mark.parametrize("way", WAYS)
def test_the_request_says_how_the_structure_is_enforced(build, way):
    with scripted_server(answering(PARIS)) as server:
        model = build(server, method="direct", sample_num=None, method_options={})
        strict = None if way == "json_mode" else True
        model.with_structured_output(City, method=way, strict=strict).invoke("q")
        (body,) = server.requests
        if way == "function_calling":
            assert body["tools"][0]["function"]["strict"] is True
            assert body["tool_choice"] in ("required", {"type": "function", "function": {"name": "City"}})
        elif way == "json_schema":
            described = body["response_format"]["json_schema"]
            assert (described["name"], described["strict"]) == ("City", True)
            assert described["schema"]["required"] == ["name", "people"]
        else:
            assert body["response_format"] == {"type": "json_object"}
        model.close()


def test_json_mode_needs_no_schema(build):
    with scripted_server(answering(PARIS)) as server:
        model = build(server)
        assert model.with_structured_output(method="json_mode").invoke("q") == PARIS
        model.close()


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_such_structure_raises_or_is_told_beside_the_raw_message(build, way):
    with scripted_server(answering({"name": "Paris"})) as server:
        model = build(server)
        with pytest.raises((OutputParserException, ValueError)):
            model.with_structured_output(City, method=way).invoke("q")
        told = model.with_structured_output(City, method=way, include_raw=True).invoke("q")
        assert told["parsed"] is None
        assert isinstance(told["parsing_error"], Exception)
        assert told["raw"].response_metadata["scaffolding"]["samples"] == 3
        model.close()


class Takes(BaseCallbackHandler):
    """Takes a paced answer as the model gives it: a part of a structure may be shown a piece later."""

    def __init__(self, paced):
        self.paced = paced

    def on_llm_new_token(self, token, **kwargs):
        self.paced.take(token)


def test_a_single_live_sample_streams_its_structure_as_it_grows():
    paced = Paced('{"name": "Pa', "ris", '", "people": 2}')
    with scripted_server(paced) as server:
        model = ChatScaffolding(base_url=server.url, method="direct")
        chain = model.with_structured_output(CityDict, method="json_schema")
        grown = list(chain.stream("q", {"callbacks": [Takes(paced)]}))
        assert grown[0] == {"name": "Pa"}
        assert grown[-1] == PARIS
        model.close()


def test_bad_requests_are_typed_errors():
    plain = ChatScaffolding(base_url="http://127.0.0.1:1/v1")
    for way in ("function_calling", "json_schema"):
        with pytest.raises(InvalidRequestError, match="needs a schema"):
            plain.with_structured_output(method=way)
    with pytest.raises(InvalidRequestError, match="'grammar'"):
        plain.with_structured_output(City, method="grammar")
    with pytest.raises(InvalidRequestError, match="leave it out"):
        plain.with_structured_output(City, method="json_mode", strict=True)
    chain = ChatScaffolding.wrap(RunnableLambda(lambda messages: "7"))
    with pytest.raises(InvalidRequestError, match="wrap the model instead"):
        chain.with_structured_output(City)
    with pytest.raises(InvalidRequestError, match="takes no tools"):
        chain.bind_tools([City])


def test_a_provider_without_a_grammar_answers_through_its_tool():
    call = {"name": "City", "args": PARIS, "id": "1"}
    model = ChatScaffolding.wrap(Scripted(answers=[AIMessage("", tool_calls=[call])]), sample_num=2)
    assert model.with_structured_output(City, method="json_schema").invoke("q") == City(**PARIS)


async def test_the_embedded_model_keeps_to_a_json_schema(local_worker, embedded_url):
    class Pair(BaseModel):
        """Two digits."""

        first: int
        second: bool

    limits = {"sample_num": 2, "max_tokens": 40, "temperature": 0.0}
    plain = ChatScaffolding(worker=local_worker, **limits)
    by_field = ChatScaffolding(worker=local_worker, method="field_vote", **limits)
    async with httpx.AsyncClient() as client:
        inner = ChatOpenAI(base_url=embedded_url, api_key="none", model="m", http_async_client=client)
        for model in (plain, by_field, ChatScaffolding.wrap(inner, **limits)):
            structured = model.with_structured_output(Pair, method="json_schema")
            pair = await structured.ainvoke("Give me the pair of 1 and true, as JSON.")
            assert isinstance(pair, Pair)
            await model.aclose()


class Nameless(Scripted):
    """Returns a Runnable that hides what it binds in a list, as ChatNVIDIA does; or binds nothing at all."""

    shows: bool = True

    def with_structured_output(self, schema, **kwargs):
        bound = self.bind(response_format={"type": "json_schema", "json_schema": {"name": "x"}})
        chains = [bound | JsonOutputParser(), self | JsonOutputParser()] if self.shows else []

        class Tries(Runnable):
            def __init__(self):
                self.chains = chains

            def invoke(self, given, config=None, **more):
                return self.chains[0].invoke(given, config)

        return Tries()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("include_raw", [False, True])
async def test_a_model_that_returns_no_binding_is_asked_as_it_asks_itself(way, include_raw):
    inner = Nameless(answers=[json.dumps(city) for city in (PARIS, ROME, PARIS)])
    model = ChatScaffolding.wrap(inner, sample_num=3, method_options=FULL)
    structured = model.with_structured_output(City, method=way, include_raw=include_raw)
    for got in (structured.invoke("q"), await structured.ainvoke("q")):
        assert (got["parsed"] if include_raw else got) == City(**PARIS)
    assert {kwargs["response_format"]["json_schema"]["name"] for _, kwargs in inner.calls} == {"x"}


@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_shows_nothing_is_asked_in_the_usual_way(way):
    called = AIMessage("", tool_calls=[{"name": "City", "args": PARIS, "id": "1"}])
    inner = Nameless(answers=[called if way == "function_calling" else json.dumps(PARIS)], shows=False)
    model = ChatScaffolding.wrap(inner, sample_num=2, method_options=FULL)
    assert model.with_structured_output(City, method=way).invoke("q") == City(**PARIS)
    asked = inner.calls[0][1]
    assert asked["tool_choice"] == "any" if way == "function_calling" else asked["response_format"]


def test_what_a_provider_puts_before_its_model_stays_there():
    class Instructed(Scripted):
        def with_structured_output(self, schema, **kwargs):
            told = RunnableLambda(lambda given: [SystemMessage("In JSON."), *given])
            return told | self | JsonOutputParser()

    inner = Instructed(answers=[json.dumps(PARIS)])
    model = ChatScaffolding.wrap(inner, sample_num=2, method_options=FULL)
    assert model.with_structured_output(City).invoke("q") == City(**PARIS)
    assert [message.content for message in inner.calls[0][0]] == ["In JSON.", "q"]


@pytest.mark.parametrize("way", WAYS)
def test_each_model_of_one_with_fallbacks_is_bound_in_its_own_way(way):
    def down(body):
        return Reply(status=400, body={"error": {"message": "down"}})

    with scripted_server(down) as bad, scripted_server(answering(PARIS)) as good, httpx.Client() as client:
        common = {"api_key": "none", "model": "m", "http_client": client, "max_retries": 0}
        first, second = (ChatOpenAI(base_url=server.url, **common) for server in (bad, good))
        model = ChatScaffolding.wrap(first.with_fallbacks([second]), sample_num=2, method_options=FULL)
        assert model.with_structured_output(City, method=way).invoke("q") == City(**PARIS)
        assert all(body.get("tools") or body.get("response_format") for body in bad.requests + good.requests)
