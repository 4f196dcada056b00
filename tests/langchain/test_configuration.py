"""Configuration: fields by runtime value, alternatives, limits, caching, and copies that travel.

On a scripted model, whose calls are counted.
"""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.runnables import ConfigurableField, ConfigurableFieldSingleOption, RunnableLambda
from langchain_core.tools import tool

from langchain_scaffolding import ChatScaffolding, with_best_of_n
from tests.langchain.doubles import FULL, Scripted, voted


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
    assert model.invoke("q", {"configurable": {"thread_id": "1", "n": 9}}).content == "7"
    assert len(inner.calls) == 1


async def test_max_concurrency_bounds_samples_as_a_field_and_batches_by_configuration():
    running = most = 0

    def answer(messages):
        nonlocal running, most
        running += 1
        most = max(most, running)
        barrier.submit(int).result()
        running -= 1
        return "7"

    with ThreadPoolExecutor(1) as barrier:
        one = ChatScaffolding.wrap(RunnableLambda(answer), sample_num=6, method_options=FULL, max_concurrency=1)
        assert one.invoke("q").content == "7"
        assert most == 1
        assert [m.content for m in one.batch(["a", "b", "c"], {"max_concurrency": 2})] == ["7"] * 3
        assert [m.content for m in await one.abatch(["a", "b"], {"max_concurrency": 1})] == ["7"] * 2
        assert most == 1


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
