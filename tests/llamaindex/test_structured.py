"""Structured predictions: voted on whole, or field by field.

Scripted, so that the samples disagree in a known way: by tools, as function calling models do it, and as JSON in
the text, as others do it. The embedded model shows that the way holds on a real one.
"""

import itertools
import threading

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.base.llms.types import LLMMetadata, ToolCallBlock
from llama_index.core.llms import ChatMessage
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram
from pydantic import BaseModel

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import FunctionWorker
from tests.llamaindex.doubles import ScriptedLLM, tool_call
from tests.llamaindex.engines import summary_index
from tests.llamaindex.servers import FULL, openai_like, own
from tests.servers.scripted import Reply, scripted_server

PROMPT = PromptTemplate("Which {what}?")


class City(BaseModel):
    """A city."""

    name: str
    people: int


# As a whole Rome with 3 has most votes; field by field Paris has, and 3.
SAMPLES = [("Rome", 3), ("Paris", 1), ("Rome", 3), ("Paris", 2), ("Paris", 9)]
WHOLE, PER_FIELD = City(name="Rome", people=3), City(name="Paris", people=3)
METHODS = pytest.mark.parametrize(("method", "city"), [("majority_vote", WHOLE), ("field_vote", PER_FIELD)])


class TextLLM(ScriptedLLM):
    """One that calls no tools, so that LlamaIndex asks it for JSON."""

    @property
    def metadata(self):
        return LLMMetadata(model_name="text", is_chat_model=self.is_chat_model)


def by_tools(method):
    answers = [tool_call("City", name=name, people=people) for name, people in SAMPLES]
    return wrapped(ScriptedLLM(answers=answers), method)


def by_text(method):
    return wrapped(TextLLM(answers=[City(name=n, people=p).model_dump_json() for n, p in SAMPLES]), method)


def by_completion(method):
    llm = by_text(method)
    llm.llm.is_chat_model = False
    return llm


def wrapped(inner, method):
    return ScaffoldingLLM.wrap(inner, method, sample_num=5, method_options=FULL)


KINDS = pytest.mark.parametrize("kind", [by_tools, by_text, by_completion])


@METHODS
@KINDS
async def test_each_way_to_predict_gives_what_the_vote_agreed_on(kind, method, city):
    llm = kind(method)
    assert llm.structured_predict(City, PROMPT, what="city") == city
    assert await llm.astructured_predict(City, PROMPT, what="city") == city
    assert list(llm.stream_structured_predict(City, PROMPT, what="city")) == [city]
    assert [c async for c in await llm.astream_structured_predict(City, PROMPT, what="city")] == [city]
    assert len(llm.llm.record.calls) == 20


@METHODS
@KINDS
async def test_as_structured_llm(kind, method, city):
    llm = kind(method).as_structured_llm(City)
    chat = [ChatMessage("Which city?")]
    assert llm.chat(chat).raw == city
    assert (await llm.achat(chat)).raw == city
    assert llm.complete("Which city?").raw == city
    assert [response.raw for response in llm.stream_chat(chat)] == [city]
    assert [response.raw async for response in await llm.astream_chat(chat)] == [city]


@METHODS
@pytest.mark.parametrize("way", [own, openai_like])
async def test_through_a_server(way, method, city):
    samples = itertools.cycle(City(name=name, people=people).model_dump_json() for name, people in SAMPLES)

    def script(body):
        return Reply(pieces=(), tool_calls=(("City", next(samples)),), finish="tool_calls")

    with scripted_server(script) as server:
        async with way(server.url, method=method, sample_num=5, method_options=FULL) as llm:
            assert await llm.astructured_predict(City, PROMPT, what="city") == city
            assert llm.structured_predict(City, PROMPT, what="city") == city
            assert list(llm.stream_structured_predict(City, PROMPT, what="city"))[-1] == city
            assert [c async for c in await llm.astream_structured_predict(City, PROMPT, what="city")][-1] == city


@METHODS
async def test_query_engines_with_an_output_class(method, city):
    engine = summary_index("Cities.").as_query_engine(llm=by_tools(method), output_cls=City)
    assert engine.query("Which city?").response == city
    assert (await engine.aquery("Which city?")).response == city


def test_llamaindexs_programs_take_one_sample_whole():
    by_function = FunctionCallingProgram.from_defaults(City, prompt=PROMPT, llm=by_tools("majority_vote"))
    assert by_function(what="city") == WHOLE
    text = LLMTextCompletionProgram.from_defaults(
        output_cls=City, prompt_template_str="Which {what}?", llm=by_text("majority_vote")
    )
    assert text(what="city") == WHOLE


INVALID = ['{"name": "Rome", "peo', '{"name": "Rome"}', '{"name": "Rome", "people": "many"}', "Rome", "Rome"]


@pytest.mark.parametrize("kind", ["text", "tools"])
async def test_a_sample_that_the_class_refuses_has_no_vote(kind):
    answers = [*INVALID, '{"name": "Paris", "people": 2}']
    if kind == "tools":
        blocks = [[ToolCallBlock(tool_call_id="1", tool_name="City", tool_kwargs=answer)] for answer in answers]
        answers = [ChatMessage(role="assistant", blocks=of_one) for of_one in blocks]
    inner = (TextLLM if kind == "text" else ScriptedLLM)(answers=answers)
    llm = ScaffoldingLLM.wrap(inner, sample_num=6, method_options=FULL)
    assert await llm.astructured_predict(City, PROMPT, what="city") == City(name="Paris", people=2)
    assert [c async for c in await llm.astream_structured_predict(City, PROMPT, what="city")][-1].name == "Paris"


class Named(BaseModel):
    """A city, of no matter how many people."""

    name: str
    people: int = 1


async def test_what_the_class_makes_of_samples_is_compared():
    samples = ['{"name": "Rome"}', '{"name": "Paris"}', '{"name": "Paris", "people": 1, "more": 2}']
    llm = ScaffoldingLLM.wrap(TextLLM(answers=samples), sample_num=3, method_options=FULL)
    assert await llm.astructured_predict(Named, PROMPT, what="city") == Named(name="Paris")


def test_predictions_of_one_class_share_what_runs():
    llm = by_text("majority_vote")
    llm.structured_predict(City, PROMPT, what="city")
    before = loops()
    for _ in range(3):
        llm.structured_predict(City, PROMPT, what="city")
    assert loops() <= before


def loops():
    return {thread for thread in threading.enumerate() if thread.name == "scaffolding-loop"}


async def test_a_message_stays_one_samples_where_no_structure_is_predicted():
    response = await by_tools("field_vote").achat([ChatMessage("q")])
    assert response.raw["answer"] == PER_FIELD.model_dump()
    assert response.message == tool_call("City", name="Rome", people=3)


async def test_one_branch_shows_its_structure_while_it_grows():
    llm = ScaffoldingLLM.wrap(TextLLM(answers=['{"name": "Paris", "people": 2}']), "direct")
    seen = [city async for city in await llm.astream_structured_predict(City, PROMPT, what="city")]
    assert len(seen) > 1
    assert seen[-1] == City(name="Paris", people=2)


def test_keywords_of_the_call_reach_the_samples():
    llm = by_tools("majority_vote")
    llm.structured_predict(City, PROMPT, llm_kwargs={"temperature": 0.3, "sample_num": 2}, what="city")
    assert [kwargs["temperature"] for kwargs in llm.llm.record.kwargs] == [0.3, 0.3]


def test_a_worker_without_tools_is_asked_for_json():
    samples = itertools.cycle(City(name=name, people=people).model_dump_json() for name, people in SAMPLES)
    worker = FunctionWorker(lambda task: next(samples), max_concurrency=1)
    llm = ScaffoldingLLM("field_vote", worker=worker, sample_num=5, method_options=FULL)
    assert not llm.metadata.is_function_calling_model
    assert llm.structured_predict(City, PROMPT, what="city") == PER_FIELD


class Word(BaseModel):
    """A word."""

    word: str


def test_the_embedded_model_predicts_a_structure(local_worker):
    llm = ScaffoldingLLM(
        worker=local_worker,
        sample_num=2,
        max_tokens=48,
        temperature=0.2,
        additional_kwargs={"response_format": {"type": "json_object", "schema": Word.model_json_schema()}},
    )
    assert llm.structured_predict(Word, PromptTemplate("Say a word: {word}."), word="yes").word
