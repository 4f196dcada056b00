"""Structured predictions: voted on whole, or field by field.

Scripted, so that the samples disagree in a known way: by tools, as function calling models do it, and as JSON in
the text, as others do it. The embedded model shows that the way holds on a real one.
"""

import asyncio
import gc
import itertools
import json
import threading
from collections import Counter

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.base.llms.types import LLMMetadata, ToolCallBlock
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms import ChatMessage
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.span_handlers import SimpleSpanHandler
from pydantic import BaseModel, create_model

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import FunctionWorker
from scaffolding_core.adapting.backend import KEPT_METHODS
from tests.left import own_loops
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


SHARES = {"name": 3 / 5, "people": 2 / 5}


@KINDS
async def test_a_structured_llm_tells_the_share_of_votes_of_each_field(kind):
    llm = kind("field_vote").as_structured_llm(City)
    chat = [ChatMessage("Which city?")]
    responses = [
        llm.chat(chat),
        await llm.achat(chat),
        llm.complete("Which city?"),
        await llm.acomplete("Which city?"),
        list(llm.stream_chat(chat))[-1],
        [response async for response in await llm.astream_chat(chat)][-1],
    ]
    for response in responses:
        told = response.additional_kwargs["scaffolding"]
        assert told["data"]["fields"] == pytest.approx(SHARES)
        assert told["samples"] == 5
        assert response.additional_kwargs["total_tokens"] == told["usage"]["total_tokens"]
        assert response.raw == PER_FIELD
        json.dumps(told)


async def test_predictions_at_once_tell_each_their_own():
    cities = itertools.cycle(["Rome", "Paris", "Oslo", "Bern"])
    inner = TextLLM(reply=lambda asked, index: f'{{"name": "{next(cities)}", "people": {index}}}', delay=0.01)
    llm = ScaffoldingLLM.wrap(inner, "field_vote", sample_num=1).as_structured_llm(City)
    for response in await asyncio.gather(*(llm.achat([ChatMessage("q")]) for _ in range(4))):
        assert response.additional_kwargs["scaffolding"]["answer"] == response.raw.model_dump()


async def test_a_structured_llm_tells_the_votes_on_the_whole():
    response = await by_tools("majority_vote").as_structured_llm(City).achat([ChatMessage("q")])
    assert response.additional_kwargs["scaffolding"]["agreement"] == pytest.approx(2 / 5)


async def test_each_prediction_is_one_span_of_each_layer():
    handler = SimpleSpanHandler()
    root = get_dispatcher()
    root.add_span_handler(handler)
    try:
        llm = by_text("majority_vote").as_structured_llm(City)
        llm.chat([ChatMessage("q")])
        await llm.achat([ChatMessage("q")])
    finally:
        root.span_handlers.remove(handler)
    spans = Counter(span.id_.rsplit("-", 5)[0] for span in handler.completed_spans)
    for a in ("", "a"):
        assert spans[f"ScaffoldingStructuredLLM.{a}chat"] == 1
        assert spans[f"ScaffoldingLLM.{a}structured_predict"] == 1
        assert spans[f"ScaffoldingLLM.{a}chat"] == 1


@pytest.mark.parametrize("heard_by", ["llm", "structured", "both"])
async def test_callbacks_count_the_tokens_of_all_samples_once(heard_by):
    counted = TokenCountingHandler()
    heard, unheard = CallbackManager([counted]), CallbackManager([TokenCountingHandler()])
    llm = by_tools("majority_vote")
    llm.callback_manager = unheard if heard_by == "structured" else heard
    structured = llm.as_structured_llm(City)
    structured.callback_manager = unheard if heard_by == "llm" else heard
    chat = [ChatMessage("q")]
    structured.chat(chat)
    await structured.achat(chat)
    list(structured.stream_chat(chat))
    [response async for response in await structured.astream_chat(chat)]
    structured.complete("q")
    await structured.acomplete("q")
    assert [event.total_token_count for event in counted.llm_token_counts] == [25] * 6


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
    before = own_loops()
    for _ in range(3):
        llm.structured_predict(City, PROMPT, what="city")
    assert own_loops() <= before


def test_what_runs_for_classes_that_are_made_on_the_fly_is_bounded():
    llm = by_text("majority_vote")
    threads = threading.active_count()
    for number in range(100):
        made = create_model(f"City{number}", __base__=City, __doc__="A city.")
        assert llm.structured_predict(made, PROMPT, what="city").name == "Rome"
    gc.collect()
    assert threading.active_count() <= threads + KEPT_METHODS + 1
    llm.close()


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
