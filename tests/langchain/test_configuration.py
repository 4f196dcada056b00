"""Configuration: fields by runtime value, alternatives, limits, caching, and copies that travel.

On a scripted model, whose calls are counted.
"""

import asyncio
import json
import pickle
import threading
import time
from collections import Counter

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.load import dumps
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import ConfigurableField, ConfigurableFieldSingleOption, RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

from langchain_scaffolding import (
    ChatScaffolding,
    ScaffoldingLLM,
    ScaffoldingRunnable,
    with_best_of_n,
    with_majority_vote,
)
from scaffolding_core import InvalidRequestError
from tests.langchain.doubles import FULL, KnownLLM, Scripted, voted
from tests.servers.scripted import Reply, scripted_server


@tool
def add(a: int) -> int:
    """Adds."""
    return a


N = ConfigurableField(id="n", name="Samples")


@pytest.mark.parametrize("tools", [False, True])
async def test_a_configurable_field_keeps_its_runtime_value_with_and_without_tools(tools):
    model, inner = voted(["7"] * 2)
    runnable = model.configurable_fields(sample_num=N)
    if tools:
        runnable = runnable.bind_tools([add])
    config = {"configurable": {"n": 5}}
    runnable.invoke("q")
    assert len(inner.calls) == 2
    await runnable.ainvoke("q", config)
    assert len(inner.calls) == 7
    list(runnable.stream("q", config))
    runnable.with_config(configurable={"n": 3}).invoke("q")
    assert len(inner.calls) == 15
    assert bool(inner.calls[-1][1].get("tools")) is tools


@pytest.mark.filterwarnings("ignore:.*beta")
async def test_configuration_reaches_the_events_of_every_version():
    model, inner = voted(["7"] * 2)
    config = {"configurable": {"sample_num": 4}}
    [event async for event in model.astream_events("q", config, version="v2")]
    assert len(inner.calls) == 4
    await (await model.astream_events("q", config, version="v3")).output
    assert len(inner.calls) == 8


def test_a_choice_of_options_is_configurable_too():
    model, inner = voted(["7"] * 4)
    choice = ConfigurableFieldSingleOption(id="effort", options={"low": 1, "high": 3}, default="low")
    bound = model.configurable_fields(sample_num=choice).bind_tools([add])
    bound.invoke("q", {"configurable": {"effort": "high"}})
    assert len(inner.calls) == 3


async def test_alternatives_share_nothing_but_the_switch():
    voting, voters = voted(["7"] * 3)
    one = Scripted(answers=["8"])
    direct = ChatScaffolding.wrap(one, "direct")
    model = voting.configurable_alternatives(ConfigurableField(id="method_used"), default_key="vote", one=direct)
    assert model.invoke("q").content == "7"
    chosen = {"configurable": {"method_used": "one"}}
    assert model.invoke("q", chosen).content == "8"
    assert (await model.ainvoke("q", chosen)).content == "8"
    assert (len(voters.calls), len(one.calls)) == (3, 2)


def test_fields_of_a_configuration_that_are_none_of_the_models_are_left_alone():
    model, inner = voted(["7"])
    others = {"thread_id": "1", "n": 9, "metadata": {"user": "me"}, "tags": ["x"]}
    assert model.invoke("q", {"configurable": others}).content == "7"
    assert len(inner.calls) == 1


class AtOnce:
    """A chain that tells how many of its calls ran at the same time at most; each waits for so many others."""

    def __init__(self, together=1):
        self.running = self.most = self.most_questions = 0
        self.questions = Counter()
        self.together = threading.Barrier(together)
        self.lock = threading.Lock()
        self.chain = RunnableLambda(self.answer, self.aanswer)

    def begin(self, question):
        with self.lock:
            self.running += 1
            self.questions[question] += 1
            self.most = max(self.most, self.running)
            self.most_questions = max(self.most_questions, len(+self.questions))

    def end(self, question):
        with self.lock:
            self.running -= 1
            self.questions[question] -= 1

    def answer(self, messages):
        question = str(messages)
        self.begin(question)
        self.together.wait(60)
        time.sleep(0.01)
        self.end(question)
        return "7"

    async def aanswer(self, messages):
        return await asyncio.to_thread(self.answer, messages)


LIMIT = {"configurable": {"max_concurrent_samples": 2}}
KINDS = [ChatScaffolding, ScaffoldingLLM, ScaffoldingRunnable]


@pytest.mark.parametrize("name", ["max_concurrent_samples", "max_concurrency"])  # the latter is its older name
async def test_a_field_bounds_the_samples_of_all_calls(name):
    calls = AtOnce()
    one = ChatScaffolding.wrap(calls.chain, sample_num=6, method_options=FULL, **{name: 2})
    assert [m.content for m in one.batch(["a", "b", "c"])] == ["7"] * 3
    assert [m.content for m in await one.abatch(["a", "b"])] == ["7"] * 2
    assert calls.most == 2
    assert one.max_concurrency == one.max_concurrent_samples == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_samples_at_once_of_one_call_may_be_configured(kind, way):
    calls = AtOnce(together=2)
    model = kind.wrap(calls.chain, sample_num=8, method_options=FULL)
    match way:
        case "invoke":
            await asyncio.to_thread(model.invoke, "q", LIMIT)
        case "ainvoke":
            await model.ainvoke("q", LIMIT)
        case "stream":
            await asyncio.to_thread(lambda: list(model.stream("q", LIMIT)))
        case "astream":
            [chunk async for chunk in model.astream("q", LIMIT)]
    assert calls.most == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["batch", "abatch"])
async def test_max_concurrency_of_a_configuration_bounds_the_questions_of_a_batch(kind, way):
    calls = AtOnce(together=3)  # as many as a question has samples
    model = kind.wrap(calls.chain, sample_num=3, method_options=FULL)
    questions, limit = ["a", "b", "c", "d"], {"max_concurrency": 1}
    if way == "batch":
        await asyncio.to_thread(model.batch, questions, limit)
    else:
        await model.abatch(questions, limit)
    assert (calls.most, calls.most_questions) == (3, 1)


async def test_a_chain_that_takes_the_models_place_keeps_to_both():
    calls = AtOnce()
    vote = with_majority_vote(calls.chain, 4, max_concurrent_samples=3, **FULL)
    await vote.abatch(["a", "b", "c", "d"], {"max_concurrency": 2})
    assert calls.most <= 3
    assert calls.most_questions <= 2
    with pytest.raises(InvalidRequestError, match="max_concurrency must be"):
        await vote.ainvoke("q", {"max_concurrency": 0})


def test_blocking_calls_that_were_cut_count_until_they_end():
    calls, goes_on = AtOnce(), threading.Event()
    held = threading.Lock()

    def first_is_slow(given):
        calls.begin(given)
        slow = held.acquire(blocking=False)
        assert not slow or goes_on.wait(60)
        time.sleep(0.01)
        calls.end(given)
        return "7"

    vote = with_majority_vote(RunnableLambda(first_is_slow), 3, max_concurrent_samples=2)
    assert [vote.invoke("a"), vote.invoke("b")] == ["7", "7"]
    goes_on.set()
    assert calls.most == 2


# What is told of it.


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_configurable_is_told(kind):
    model = kind.wrap(Scripted(answers=["7"]))
    told = {spec.id for spec in model.config_specs}
    assert {"method", "sample_num", "answers", "budget", "deadline", "priority", "max_concurrent_samples"} <= told
    assert ("temperature" in told) == (kind is not ScaffoldingRunnable)
    assert "sample_num" in model.get_config_jsonschema()["$defs"]["Configurable"]["properties"]
    chain = RunnableLambda(lambda given: given) | model | RunnableLambda(lambda given: "q") | kind.wrap(model)
    assert told <= {spec.id for spec in chain.config_specs}


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_is_named_for_configuration_is_told_once(kind):
    model = kind.wrap(Scripted(answers=["7"], calls=[]), sample_num=4, method_options=FULL)
    named = model.configurable_fields(sample_num=ConfigurableField(id="sample_num", name="Samples"))
    (told,) = [spec for spec in named.config_specs if spec.id == "sample_num"]
    assert (told.name, told.default) == ("Samples", 4)
    named.invoke("q", {"configurable": {"sample_num": 2}})
    assert len(model.inner.calls) == 2


def test_what_the_wrapped_chain_lets_be_configured_is_told_too():
    inner = Scripted(answers=["7"]).configurable_fields(delay=ConfigurableField(id="delay"))
    assert "delay" in {spec.id for spec in with_majority_vote(inner, 2).config_specs}


# Configuration of what is around, and of what is inside.


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_configuration_reaches_a_model_that_a_node_calls_without_it(way):
    model, inner = voted(["7"] * 2)
    completion = ScaffoldingLLM.wrap(KnownLLM(answers=["7"]), sample_num=2, method_options=FULL)

    def answer(state):
        completion.invoke("q")
        return {"messages": [model.invoke(state["messages"])]}

    async def aanswer(state):
        await completion.ainvoke("q")
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("answer", RunnableLambda(answer, aanswer)).add_edge(START, "answer")
    given, config = {"messages": [("human", "q")]}, {"configurable": {"sample_num": 5}}
    app = graph.compile()
    if way == "invoke":
        app.invoke(given, config)
    else:
        await app.ainvoke(given, config)
    assert (len(inner.calls), len(completion.inner.calls)) == (5, 5)


async def test_method_parameters_are_for_the_outermost_method_not_for_those_inside_its_samples():
    deepest = Scripted(answers=["7"])
    inside = ChatScaffolding.wrap(deepest, sample_num=2, method_options=FULL)
    config = {"configurable": {"sample_num": 3}}
    for kind in (ChatScaffolding, ScaffoldingRunnable):
        around = kind.wrap(inside, sample_num=2, method_options=FULL)
        before = len(deepest.calls)
        await around.ainvoke("q", config)
        around.invoke("q", config)
        assert len(deepest.calls) - before == 2 * (3 * 2)


@pytest.mark.parametrize(("kind", "known"), [(ChatScaffolding, Scripted), (ScaffoldingLLM, KnownLLM)])
async def test_what_is_configurable_in_a_wrapped_model_stays_so_in_each_way_of_calling(kind, known):
    inner = known(answers=["7"]).configurable_fields(answers=ConfigurableField("said"))
    model = kind.wrap(inner, sample_num=2) | StrOutputParser()
    for config, answer in (({}, "7"), ({"configurable": {"said": ["8"]}}, "8")):
        assert model.invoke("q", config) == await model.ainvoke("q", config) == answer
        assert "".join(model.stream("q", config)) == answer
        assert "".join([text async for text in model.astream("q", config)]) == answer


@pytest.mark.parametrize(("kind", "known"), [(ChatScaffolding, Scripted), (ScaffoldingLLM, KnownLLM)])
async def test_it_stays_so_where_the_model_is_called_alone(kind, known):
    inner = known(answers=["7"]).configurable_fields(answers=ConfigurableField("said"))
    model, parse = kind.wrap(inner, sample_num=2), StrOutputParser()
    config = {"configurable": {"said": ["8"]}}
    assert parse.invoke(model.invoke("q", config)) == parse.invoke(await model.ainvoke("q", config)) == "8"
    assert "".join(map(parse.invoke, model.stream("q", config))) == "8"
    assert "".join([parse.invoke(piece) async for piece in model.astream("q", config)]) == "8"


@pytest.fixture
def cache():
    set_llm_cache(InMemoryCache())
    yield
    set_llm_cache(None)


def test_the_cache_keeps_n_samples_and_tells_settings_apart(cache):
    model, inner = voted(["7", "8", "9", "9"])
    assert model.invoke("q").content == "9"
    assert model.invoke("q").content == "9"
    assert len(inner.calls) == 4  # the vote is cached, as any model's answer; its samples are not
    others = [
        model.model_copy(update=change)
        for change in (
            {"sample_num": 2},
            {"method": "direct", "method_options": {}},
            {"method_options": {**FULL, "min_samples": 2}},
            {"temperature": 0.5},
            {"seed": 1},
            {"stop": ["x"]},
            {"model_kwargs": {"top_k": 3}},
        )
    ]
    before = len(inner.calls)
    for other in others:
        other.invoke("q")
    assert len(inner.calls) - before == 2 + 1 + 4 * 5


def test_the_cache_tells_rewards_wrapped_models_and_chains_apart(cache):
    long, short = Scripted(answers=["a", "bb"]), Scripted(answers=["a", "bb"])
    assert with_best_of_n(long, lambda prompt, answer: len(answer), n=2).invoke("q").content == "bb"
    assert with_best_of_n(short, lambda prompt, answer: -len(answer), n=2).invoke("q").content == "a"
    direct = {"method": "direct"}
    hot = ChatScaffolding.wrap(RunnableLambda(lambda messages: "x"), **direct)
    cold = ChatScaffolding.wrap(RunnableLambda(lambda messages: "y"), **direct)
    assert (hot.invoke("q").content, cold.invoke("q").content) == ("x", "y")
    echo = Scripted(answers=["1", "2"])
    first = ChatScaffolding.wrap(echo.bind(stop=["a"]), **direct)
    second = ChatScaffolding.wrap(echo.bind(stop=["b"]), **direct)
    assert (first.invoke("q").content, second.invoke("q").content) == ("1", "2")


def test_what_is_written_of_a_model_has_no_secret():
    model = ChatScaffolding(base_url="http://127.0.0.1:9/v1", api_key="secret")
    written = [
        dumps(model),
        dumps(RunnableLambda(str) | model),
        str(model.asdict()),
        str(model.model_dump()),
        repr(model),
    ]
    assert not any("secret" in text for text in written)
    assert json.loads(written[0])["type"] == "not_implemented"  # LangChain loads only classes it knows


def test_a_pickled_model_answers():
    model, _ = voted(["7", "8", "7"], stream_candidates="reasoning")
    again = pickle.loads(pickle.dumps(model))
    assert again.stream_candidates == "reasoning"
    assert again.invoke("q").content == "7"
    copied = again.model_copy(deep=True, update={"sample_num": 1})
    assert copied.invoke("q").response_metadata["scaffolding"]["samples"] == 1


async def test_retries_and_fallbacks_around_it_keep_the_samples():
    model, inner = voted(["7", "8", "7"])
    assert (await model.with_retry().ainvoke("q")).content == "7"
    assert model.with_retry().batch(["a", "b"])[1].content == "7"
    down = ChatScaffolding.wrap(RunnableLambda(lambda messages: 1 / 0), sample_num=2)
    assert down.with_fallbacks([model]).invoke("q").content == "7"
    assert "".join(chunk.text for chunk in down.with_fallbacks([model]).stream("q")) == "7"
    assert len(inner.calls) == 15


@pytest.mark.parametrize("way", ["fresh", "invoke", "ainvoke", "stream"])
async def test_a_model_of_a_server_pickles_before_and_after_its_calls(way):
    with scripted_server(Reply()) as server:
        model = ChatScaffolding(base_url=server.url, sample_num=2, api_key="secret")
        match way:
            case "invoke":
                model.invoke("q")
            case "ainvoke":
                await model.ainvoke("q")
            case "stream":
                list(model.stream("q"))
        again = pickle.loads(pickle.dumps(model))
        assert again.invoke("q").content == "7"
        assert server.headers[-1]["Authorization"] == "Bearer secret"
        for each in (model, again):
            await each.aclose()


def test_a_model_on_the_embedded_one_pickles_and_stays_on_it():
    model = ChatScaffolding()
    worker = model.backend.worker
    assert pickle.loads(pickle.dumps(model)).backend.worker is worker


def test_a_field_says_how_many_samples_one_request_of_a_server_may_ask_for():
    with scripted_server(Reply()) as server:
        with ChatScaffolding(base_url=server.url, sample_num=3, method_options=FULL, siblings=1) as model:
            model.invoke("q")
            model.configurable_fields(siblings=ConfigurableField("shared")).with_config(
                configurable={"shared": 3}
            ).invoke("q")
    assert [body.get("n") for body in server.requests] == [None] * 3 + [3]
