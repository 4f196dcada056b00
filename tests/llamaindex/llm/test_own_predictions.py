"""Structured predictions of LLMs that predict in a way of their own: each sample is predicted that way.

Scripted, so that a server that knows response formats alone, and an LLM that predicts past its own chat, answer
the same each time.
"""

import itertools

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.llms import ChatMessage
from llama_index.core.llms.llm import PydanticProgramMode
from pydantic import BaseModel, Field

from llamaindex_scaffolding import ScaffoldingLLM, with_best_of_n, with_majority_vote
from scaffolding_core import InsufficientSamplesError
from tests.llamaindex.doubles import ScriptedLLM, tool_call
from tests.llamaindex.servers import FULL, openai_like
from tests.servers.scripted import Reply, scripted_server

PROMPT = PromptTemplate("Which {what}?")


class City(BaseModel):
    """A city, whose name is written under another key."""

    name: str = Field(alias="cityName")
    people: int = 1


class Loud(City):
    """A city that would be another one if it were read again from what it writes."""

    def model_post_init(self, context):
        self.name += "!"


class Native(ScriptedLLM):
    """Predicts past its own chat."""

    def structured_predict(self, output_cls, prompt, llm_kwargs=None, **prompt_args):
        messages = self._extend_messages(prompt.format_messages(**prompt_args))
        return output_cls.model_validate_json(self._next("predict", messages, llm_kwargs).content)

    async def astructured_predict(self, output_cls, prompt, llm_kwargs=None, **prompt_args):
        return self.structured_predict(output_cls, prompt, llm_kwargs, **prompt_args)


def city(name, people=1):
    return City(cityName=name, people=people)


def written(*names):
    return [f'{{"cityName": "{name}"}}' for name in names]


def native(*names, **fields):
    return Native(answers=written(*names), **fields)


NAMES = "Rome", "Paris", "Paris"


async def test_each_sample_is_one_prediction_and_the_vote_is_on_the_structures():
    inner = native(*NAMES)
    llm = with_majority_vote(inner, n=3, stop_rule="full")
    assert llm.structured_predict(Loud, PROMPT, what="city") == Loud(cityName="Paris")
    assert await llm.astructured_predict(Loud, PROMPT, what="city") == Loud(cityName="Paris")
    assert inner.record.calls == ["predict"] * 6
    assert [message.content for message in inner.record.asked[0]] == ["Which city?"]
    assert inner.record.kwargs[0] == {"temperature": 0.7}


async def test_as_structured_llm_and_in_a_vote_on_each_field():
    answers = [f'{{"cityName": "{name}", "people": {n}}}' for name, n in (("Rome", 3), ("Oslo", 3), ("Oslo", 4))]
    llm = ScaffoldingLLM.wrap(Native(answers=answers), "majority_vote", sample_num=3, method_options=FULL)
    response = await llm.as_structured_llm(City).achat([ChatMessage("q {x}")])
    assert response.raw == city("Rome", 3)
    assert response.additional_kwargs["scaffolding"]["agreement"] == pytest.approx(1 / 3)
    assert response.additional_kwargs["scaffolding"]["usage"]["calls"] == 3


def test_other_methods_sample_it_too_and_a_wrapper_over_a_wrapper():
    best = with_best_of_n(native(*NAMES), lambda prompt, answer: float("Rome" in answer), n=3)
    assert best.structured_predict(City, PROMPT, what="city") == city("Rome")
    inner = native(*NAMES)
    nested = with_majority_vote(with_majority_vote(inner, n=3, stop_rule="full"), n=2, stop_rule="full")
    assert nested.structured_predict(City, PROMPT, what="city") == city("Paris")
    assert inner.record.calls == ["predict"] * 6


def test_a_sample_that_the_class_refuses_has_no_vote():
    llm = with_majority_vote(Native(answers=["{}", "{}", *written("Paris")]), n=3, stop_rule="full")
    assert llm.structured_predict(City, PROMPT, what="city") == city("Paris")
    with pytest.raises(InsufficientSamplesError) as failed:
        with_majority_vote(Native(answers=["{}"]), n=2).structured_predict(City, PROMPT, what="city")
    assert "cityName" in str(failed.value)


def test_the_system_prompt_is_told_once():
    inner = native("Rome", system_prompt="be brief")
    with_majority_vote(inner, n=1).structured_predict(City, PROMPT, what="city")
    assert [message.content for message in inner.record.asked[0]] == ["be brief", "Which city?"]


def test_another_mode_of_the_wrappers_is_not_the_llms_own_way():
    inner = ScriptedLLM(answers=[tool_call("City", cityName="Rome")])
    llm = ScaffoldingLLM.wrap(
        Native(answers=[tool_call("City", cityName="Rome")], record=inner.record),
        "direct",
        pydantic_program_mode=PydanticProgramMode.FUNCTION,
    )
    assert llm.structured_predict(City, PROMPT, what="city") == city("Rome")
    assert inner.record.calls == ["chat"]


@pytest.fixture
def server():
    """One that knows response formats, and no tools."""
    said = itertools.cycle(written(*NAMES))

    def script(body):
        return Reply(pieces=tuple(next(said)) if "response_format" in body else ("Paris, I think",))

    with scripted_server(script) as server:
        yield server


VOTE = {"sample_num": 3, "method_options": FULL}
METHODS = {"majority_vote": VOTE, "field_vote": VOTE, "direct": {}}


@pytest.mark.parametrize("method", METHODS)
async def test_response_formats_of_a_server(server, method):
    async with openai_like(server.url, method=method, **METHODS[method]) as llm:
        llm.llm.should_use_structured_outputs = True
        expected = [city("Rome"), city("Paris")] if method == "direct" else [city("Paris")]
        assert llm.structured_predict(City, PROMPT, what="city") in expected
        assert await llm.astructured_predict(City, PROMPT, what="city") in expected
        streamed = list(llm.stream_structured_predict(City, PROMPT, what="city"))
        async_streamed = [c async for c in await llm.astream_structured_predict(City, PROMPT, what="city")]
        for cities in streamed, async_streamed:
            assert cities[-1] in expected
            assert (len(cities) > 1) == (method == "direct")
        response = await llm.as_structured_llm(City).achat([ChatMessage("q")])
        usage = response.additional_kwargs["scaffolding"]["usage"]
        assert (usage["calls"], usage["total_tokens"]) == ((1, 7) if method == "direct" else (3, 21))
    assert all("tools" not in request for request in server.requests)
