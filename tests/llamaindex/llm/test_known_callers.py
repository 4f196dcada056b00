"""Callers that tell what they do with an answer: what they cannot use has no vote.

Scripted, so that most samples are of no use, and the rest agree.
"""

import threading
from collections import Counter

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.llms import ChatMessage
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.tools import FunctionTool
from llama_index.core.types import BaseOutputParser
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.span_handlers import SimpleSpanHandler
from pydantic import BaseModel

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import WholeText
from tests.llamaindex.components.voting import agreements, calls, voting
from tests.llamaindex.doubles import ScriptedLLM, tool_call


def weather(city: str, days: int = 1) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


TOOL = FunctionTool.from_defaults(weather)
USELESS = [
    ("wether", {"city": "Bern"}),
    ("weather", {"town": "Bern"}),
    ("weather", {"city": "Bern", "days": "two"}),
]
USEFUL = [("weather", {"city": "Rome"}), ("weather", {"city": "Rome", "days": 1})]


def own():
    samples = [calls((name, str(arguments).replace("'", '"'))) for name, arguments in USELESS + USEFUL]
    return voting(samples, tools=True)


def wrapped():
    samples = [tool_call(name, **arguments) for name, arguments in USELESS + USEFUL]
    return ScaffoldingLLM.wrap(
        ScriptedLLM(answers=samples), sample_num=5, temperature=0.7, method_options={"stop_rule": "full"}
    )


async def chatting(llm):
    """The response by each way to chat with tools."""
    yield llm.chat_with_tools([TOOL], "weather?")
    yield await llm.achat_with_tools(tools=[TOOL], user_msg="weather?")
    yield list(llm.stream_chat_with_tools([TOOL], "weather?"))[-1]
    yield [response async for response in await llm.astream_chat_with_tools([TOOL], "weather?")][-1]


@pytest.mark.parametrize("make", [own, wrapped])
async def test_calls_that_no_tool_takes_have_no_vote(make):
    async for response in chatting(make()):
        assert (response.raw["agreement"], response.raw["samples"]) == (1.0, 5)
        assert [candidate["answer"] is None for candidate in response.raw["candidates"]].count(True) == 3


def test_calls_are_only_checked_where_tools_are_offered():
    assert own().chat([ChatMessage("weather?")]).raw["agreement"] < 1


async def test_predict_and_call_runs_what_the_tool_takes():
    assert str(own().predict_and_call([TOOL], "weather?")) == "sunny in Rome"
    assert str(await own().apredict_and_call([TOOL], "weather?")) == "sunny in Rome"


class City(BaseModel):
    """A city."""

    name: str


class Shouted(BaseOutputParser):
    """A user's own."""

    def parse(self, output):
        if not output.endswith("!"):
            raise ValueError(output)
        return output.lower()


MIXED = ["Bern", '{"name": 7}', "Bern", 'So: {"name": "Rome"}!', '{"name": "ROME"}!']


@pytest.mark.parametrize("chat", [True, False])
async def test_texts_that_a_prompts_parser_refuses_have_no_vote(events, chat):
    prompt = PromptTemplate("Which city?", output_parser=PydanticOutputParser(City))
    llm = voting(MIXED, is_chat_model=chat)
    assert "Rome" in llm.predict(prompt)
    assert "Rome" in await llm.apredict(prompt=prompt)
    assert agreements(events) == [1.0, 1.0]


def test_a_parser_of_ones_own_says_what_is_the_same(events):
    prompt = PromptTemplate("Which city?", output_parser=Shouted())
    assert voting(["Bern", "Rome!", "Bern", "Paris!", "ROME!"]).predict(prompt) == "Rome!"
    assert agreements(events) == [pytest.approx(2 / 3)]


async def test_parsers_run_in_threads():
    class Watched(Shouted):
        def parse(self, output):
            threads.append(threading.get_ident())
            return output

    threads = []
    await voting("Rome").apredict(PromptTemplate("Which city?", output_parser=Watched()))
    assert threads
    assert threading.get_ident() not in threads


def test_so_does_the_parser_of_the_llm_itself(events):
    assert (
        voting(["Bern", "Rome!", "Bern", "Bern", "ROME!"], output_parser=Shouted()).predict(PromptTemplate("q"))
        == "rome!"
    )
    assert agreements(events) == [1.0]


def test_a_prompt_without_a_parser_takes_any_text(events):
    assert voting(MIXED).predict(PromptTemplate("q")) == "Bern"
    assert agreements(events) == [0.4]


def test_an_extractor_of_ones_own_reads_what_is_accepted(events):
    prompt = PromptTemplate("Which city?", output_parser=PydanticOutputParser(City))
    voting(MIXED, method_options={"stop_rule": "full", "extractor": WholeText()}).predict(prompt)
    assert agreements(events) == [0.5]


def test_each_call_is_one_span_of_each_layer():
    handler = SimpleSpanHandler()
    root = get_dispatcher()
    root.add_span_handler(handler)
    try:
        own().predict_and_call([TOOL], "weather?")
        voting("Rome!").predict(PromptTemplate("q", output_parser=Shouted()))
    finally:
        root.span_handlers.remove(handler)
    spans = Counter(span.id_.rsplit("-", 5)[0] for span in handler.completed_spans)
    assert (spans["ScaffoldingLLM.chat"], spans["ScaffoldingLLM.predict"]) == (2, 1)
