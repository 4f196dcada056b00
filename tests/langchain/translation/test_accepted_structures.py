"""Votes on structures: what a class would refuse has no vote, and what it makes of the rest is compared."""

import asyncio
import itertools
import json
from typing import Annotated

import pytest
from langchain_core.output_parsers import PydanticOutputParser
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel
from typing_extensions import TypedDict

from langchain_scaffolding import ChatScaffolding, ScaffoldingRunnable
from tests.langchain.accepting import VISITS, Visit, told
from tests.langchain.agents import open_ai
from tests.langchain.doubles import FULL, Scripted
from tests.servers.scripted import Reply, scripted_server

WAYS = ["function_calling", "json_schema", "json_mode"]


def answering(*visits):
    """Each request gets the next structure, as a call if it names a tool, else as text."""
    drawn = itertools.cycle(visits)

    def script(body):
        visit = json.dumps(next(drawn))
        if body.get("tools"):
            name = body["tools"][0]["function"]["name"]
            return Reply(pieces=(), tool_calls=((name, visit),), finish="tool_calls")
        return Reply(pieces=(visit,))

    return script


@pytest.fixture(params=["own", "wrapped"])
def structured(request, clients):
    """Makes a model for structures, of a server's own or wrapped."""

    def make(server, schema, way, n=4, **fields):
        fields = {"sample_num": n, "seed": 1, "method_options": FULL, **fields}
        inner = {"inner": open_ai(server, **clients)} if request.param == "wrapped" else {"base_url": server.url}
        return ChatScaffolding(**inner, **fields).with_structured_output(schema, method=way, include_raw=True)

    return make


@pytest.mark.parametrize("way", WAYS)
async def test_structures_count_as_the_class_reads_them_without_what_it_generates(structured, way):
    with scripted_server(answering(*VISITS, {"town": "Oslo"})) as server:
        model = structured(server, Visit, way, 5)
        for told_, parsed in [
            (told(result["raw"]), result["parsed"])
            for result in (await asyncio.to_thread(model.invoke, "q"), await model.ainvoke("q"))
        ]:
            assert (parsed.town, parsed.days) == ("Nice", 1)
            assert told_["votes"] == {"{'town': 'Nice', 'days': 1}": 2, "{'town': 'Oslo', 'days': 1}": 1}
            assert told_["answer"] == {"town": "Nice", "days": 1}
            assert [each["read_as"] for each in told_["candidates"]].count("structure") == 3


class VisitDict(TypedDict):
    """A visit."""

    town: str
    days: Annotated[int, 1, "how many"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("schema", [VisitDict, {"title": "Visit", "description": "", **Visit.model_json_schema()}])
def test_structures_without_a_class_are_read_by_their_schema(structured, way, schema):
    with scripted_server(answering(*VISITS, {"town": "Nice", "days": 1})) as server:
        result = structured(server, schema, way, 5).invoke("q")
    assert result["parsed"]["town"] == "Nice"
    assert max(told(result["raw"])["votes"].values()) >= 2
    assert not any("many" in answer or "5" in answer for answer in told(result["raw"])["votes"])


@pytest.mark.parametrize("way", WAYS)
def test_where_the_class_refuses_every_sample_its_parser_tells(structured, way):
    with scripted_server(answering(*VISITS[:2])) as server:
        result = structured(server, Visit, way, 2).invoke("q")
    assert result["parsed"] is None
    assert result["parsing_error"] is not None
    assert told(result["raw"])["agreement"] == 0


@pytest.mark.parametrize("way", WAYS)
def test_all_of_a_structure_counts_even_where_a_field_is_named_answer(structured, way):
    class Reasoned(BaseModel):
        """An answer."""

        reasoning: str
        answer: int

    samples = [{"reasoning": text, "answer": 5} for text in "abb"]
    with scripted_server(answering(*samples)) as server:
        model = structured(server, Reasoned, way, 3)
        assert told(model.invoke("q")["raw"])["agreement"] == 2 / 3


@pytest.mark.parametrize("way", WAYS)
def test_a_vote_on_fields_takes_them_as_the_class_reads_them(structured, way):
    samples = [{"town": "Nice", "days": "many"}, {"town": "Rome", "days": "3"}, {"town": "Rome"}, {"town": "Rome"}]
    with scripted_server(answering(*samples)) as server:
        result = structured(server, Visit, way, method="field_vote").invoke("q")
    assert (result["parsed"].town, result["parsed"].days) == ("Rome", 1)
    assert told(result["raw"])["data"]["fields"] == {"town": 1, "days": 2 / 3}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["number", {"kind": "json", "key": "town"}])
def test_a_kind_says_what_counts_of_a_structure_only_where_it_is_of_structures(structured, way, kind):
    samples = [{"town": town, "days": days} for town, days in (("Rome", 1), ("Nice", 1), ("Nice", 2))]
    with scripted_server(answering(*samples)) as server:
        details = told(structured(server, Visit, way, 3, answers=kind).invoke("q")["raw"])
    assert details["agreement"] == (1 / 3 if kind == "number" else 2 / 3)


@pytest.mark.parametrize("way", ["json_schema", "json_mode"])
def test_text_that_the_parser_cannot_read_has_no_vote(way):
    texts = [
        'Here: {"town": "Rome"}',
        '{"town": "Rome"',
        '```json\n{"town": "Nice"}\n```',
        '{"town": "Nice"}',
        "Rome",
    ]
    drawn = itertools.cycle(texts)
    with scripted_server(lambda body: Reply((next(drawn),))) as server:
        model = ChatScaffolding(base_url=server.url, sample_num=5, seed=1, method_options=FULL)
        result = model.with_structured_output(Visit, method=way, include_raw=True).invoke("q")
    assert result["parsed"].town == "Nice"
    assert told(result["raw"])["votes"] == {"{'town': 'Nice', 'days': 1}": 2}


def test_a_chain_that_ends_in_a_parser_votes_without_what_the_class_generates():
    texts = ['{"town": 5}', '{"town": "Nice"}', '{"town": "Nice", "days": 1}', '{"town": "Rome"}']
    model = Scripted(answers=texts)
    chain = ChatPromptTemplate.from_template("{q}") | model | PydanticOutputParser(pydantic_object=Visit)
    sampler = ScaffoldingRunnable.wrap(chain, sample_num=4, method_options=FULL)
    output = sampler.invoke({"q": "?"})
    assert (output.answer, output.agreement) == ({"town": "Nice", "days": 1}, 2 / 3)
    assert isinstance(output.message.original, Visit)
    assert output.message.original.id
