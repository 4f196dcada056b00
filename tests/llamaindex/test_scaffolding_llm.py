"""ScaffoldingLLM in LlamaIndex's hands."""

import asyncio
import itertools
import json
import pickle

import pytest
from llama_index.core import Document, Settings, SummaryIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from llamaindex_scaffolding import ScaffoldingLLM, with_best_of_n, with_chain_of_thought, with_majority_vote
from scaffolding_core import FunctionWorker, InvalidRequestError, Usage
from tests.servers.scripted import Reply, scripted_server

FULL = {"stop_rule": "full"}


class Known:
    """Scripted answers, one after another, each for 3 tokens; scripted, since votes need known ones."""

    def __init__(self, *answers):
        self.answers = answers
        self.tasks = []

    async def __call__(self, task):
        answer = self.answers[len(self.tasks) % len(self.answers)]
        self.tasks.append(task)
        task.usage = Usage(2, 1, calls=1)
        return answer


def voted(*answers, **fields):
    known = Known(*answers)
    fields = {"sample_num": len(answers), "method_options": FULL, **fields}
    return ScaffoldingLLM("majority_vote", worker=FunctionWorker(known), **fields), known


async def every_way(llm):
    """The answer by each of the eight methods, streams read to their end."""
    chat = [ChatMessage("q")]
    yield "chat", llm.chat(chat).message.content, llm.chat(chat)
    yield "achat", (await llm.achat(chat)).message.content, await llm.achat(chat)
    last = [*llm.stream_chat(chat)][-1]
    yield "stream_chat", last.message.content, last
    last = [r async for r in await llm.astream_chat(chat)][-1]
    yield "astream_chat", last.message.content, last
    yield "complete", llm.complete("q").text, llm.complete("q")
    yield "acomplete", (await llm.acomplete("q")).text, await llm.acomplete("q")
    last = [*llm.stream_complete("q")][-1]
    yield "stream_complete", last.text, last
    last = [r async for r in await llm.astream_complete("q")][-1]
    yield "astream_complete", last.text, last


async def test_each_of_the_eight_methods_votes_and_tells_how():
    llm, _ = voted("it is 7", "8", "so 7")
    async for name, text, response in every_way(llm):
        assert text == "it is 7", name
        details = response.raw
        assert (details["votes"], details["samples"], details["stopped"]) == ({"7": 2, "8": 1}, 3, "complete"), (
            name
        )
        assert details["usage"]["total_tokens"] == 9, name
        json.dumps(details)


async def test_streams_have_right_deltas_and_are_live_for_one_branch():
    with scripted_server(Reply(pieces=("a", "b", "c"), between=0.03)) as server:
        llm = ScaffoldingLLM("direct", api_base=server.url, model="m")
        responses = [*llm.stream_chat([ChatMessage("q")])]
        assert [r.delta for r in responses if r.delta] == ["a", "b", "c"]
        assert [r.message.content for r in responses][:3] == ["a", "ab", "abc"]
        deltas = [r.delta async for r in await llm.astream_complete("q")]
        assert "".join(deltas) == "abc"


async def test_leaving_a_stream_cancels_its_request():
    with scripted_server(Reply(pieces=("x",) * 200, between=0.02)) as server:
        llm = ScaffoldingLLM("direct", api_base=server.url, model="m")
        stream = await llm.astream_chat([ChatMessage("q")])
        await anext(stream)
        await stream.aclose()
        for _ in range(100):
            if server.cut:
                break
            await asyncio.sleep(0.02)
        assert server.cut == 1


@pytest.mark.parametrize(
    "mode", [ResponseMode.COMPACT, ResponseMode.REFINE, ResponseMode.TREE_SUMMARIZE, ResponseMode.ACCUMULATE]
)
async def test_query_engines_in_every_response_mode(mode):
    llm, known = voted("Paris", "Rome", "Paris")
    index = SummaryIndex([Document(text="Paris is the capital."), Document(text="Rome is not.")])
    engine = index.as_query_engine(llm=llm, response_mode=mode)
    assert "Paris" in str(engine.query("Which city?"))
    assert "Paris" in str(await engine.aquery("Which city?"))
    assert "Paris is the capital." in known.tasks[0].messages[-1].text


async def test_a_query_engine_gets_a_method_through_settings_on_the_embedded_model():
    Settings.llm = ScaffoldingLLM("majority_vote", sample_num=3, temperature=0.3, max_tokens=16)
    try:
        index = SummaryIndex([Document(text="There are 12 apples in the basket.")])
        response = index.as_query_engine().query("How many apples are in the basket?")
        assert str(response)
    finally:
        Settings.llm = None


async def test_wrapping_an_llm_takes_its_metadata_and_samples_it():
    inner = MockLLM(max_tokens=2)
    llm = with_majority_vote(inner, n=3)
    assert llm.metadata == inner.metadata
    async for name, text, response in every_way(llm):
        assert text.endswith("text"), name
        assert response.raw["samples"] == 3, name


async def test_the_short_functions():
    inner = MockLLM(max_tokens=3)
    assert with_chain_of_thought(inner).complete("q").raw["method"] == "ChainOfThoughtController"
    best = with_best_of_n(inner, lambda prompt, answer: len(answer), n=2).complete("a b")
    assert best.raw["score"] == len(best.text)


async def test_tools_are_voted_on_and_the_history_is_left_alone():
    answers = itertools.cycle(["Paris", "Rome", "Paris"])

    def script(body):
        assert [t["function"]["name"] for t in body["tools"]] == ["weather"]
        return Reply(pieces=(), tool_calls=(("weather", f'{{"city": "{next(answers)}"}}'),), finish="tool_calls")

    def weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    with scripted_server(script) as server:
        llm = ScaffoldingLLM(
            "majority_vote", sample_num=3, api_base=server.url, model="m", seed=1, method_options=FULL
        )
        history = [ChatMessage("hello")]
        tool = FunctionTool.from_defaults(weather)
        for response in (
            llm.chat_with_tools([tool], "weather?", chat_history=history),
            await llm.achat_with_tools([tool], "weather?", chat_history=history),
        ):
            (call,) = llm.get_tool_calls_from_response(response)
            assert (call.tool_name, call.tool_kwargs) == ("weather", {"city": "Paris"})
        assert history == [ChatMessage("hello")]
        assert [m["content"] for m in server.requests[0]["messages"]] == ["hello", "weather?"]


async def test_an_agent_runs_on_voted_tool_calls():
    calls = itertools.cycle(["Paris", "Rome", "Paris"])

    def script(body):
        if body["messages"][-1]["role"] == "tool":
            return Reply(pieces=(f"It is {body['messages'][-1]['content']}.",))
        return Reply(pieces=(), tool_calls=(("weather", f'{{"city": "{next(calls)}"}}'),), finish="tool_calls")

    async def weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    with scripted_server(script) as server:
        llm = ScaffoldingLLM(
            "majority_vote", sample_num=3, api_base=server.url, model="m", seed=1, method_options=FULL
        )
        agent = FunctionAgent(tools=[weather], llm=llm)
        assert "sunny in Paris" in str(await agent.run("How is the weather?"))


async def test_structured_predictions():
    class City(BaseModel):
        """A city."""

        name: str

    names = itertools.cycle(["Paris", "Rome", "Paris"])

    def script(body):
        return Reply(pieces=(), tool_calls=(("City", f'{{"name": "{next(names)}"}}'),), finish="tool_calls")

    with scripted_server(script) as server:
        llm = ScaffoldingLLM(
            "majority_vote", sample_num=3, api_base=server.url, model="m", seed=1, method_options=FULL
        )
        assert llm.as_structured_llm(City).complete("which?").raw == City(name="Paris")


def test_tokens_are_counted_once():
    counter = TokenCountingHandler()
    llm, _ = voted("7", "7", callback_manager=CallbackManager([counter]))
    llm.chat([ChatMessage("q")])
    assert counter.total_llm_token_count == 6


def test_it_is_an_llm_whose_key_is_never_shown():
    llm = ScaffoldingLLM("direct", api_base="http://127.0.0.1:1/v1", model="m", api_key="secret-key")
    assert BaseLLM.__name__ in [base.__name__ for base in type(llm).__mro__]
    assert llm.class_name() == "ScaffoldingLLM"
    assert "secret-key" not in json.dumps(llm.to_dict())
    assert "secret-key" not in repr(llm)
    assert llm.metadata.model_name == "m"


def test_it_pickles():
    llm = ScaffoldingLLM("direct", api_base="http://127.0.0.1:1/v1", model="m", sample_num=1)
    assert pickle.loads(pickle.dumps(llm)).model == "m"


async def test_call_parameters_pass_through_and_wrong_ones_are_one_typed_error():
    llm, known = voted("7", sample_num=1)
    await llm.achat([ChatMessage("q")], temperature=0.2, sample_num=2)
    assert len(known.tasks) == 2
    assert known.tasks[0].temperature == 0.2
    with pytest.raises(InvalidRequestError, match="'temprature'"):
        await llm.achat([ChatMessage("q")], temprature=0.2)
    with pytest.raises(InvalidRequestError, match="no method is named"):
        await llm.achat([ChatMessage("q")], method="vote")


async def test_blocking_calls_work_inside_a_running_loop():
    llm, _ = voted("7")
    assert llm.complete("q").text == "7"
    assert [*llm.stream_complete("q")][-1].text == "7"
