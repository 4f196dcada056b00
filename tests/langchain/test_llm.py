"""ScaffoldingLLM in the place of a completion model.

A double with known answers stands for the model, since votes need to be known beforehand; the scripted server
where pieces of text must come one by one; the embedded model where nothing needs to be known.
"""

import itertools
import pickle

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.globals import set_llm_cache
from langchain_core.language_models.llms import BaseLLM
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableLambda

from langchain_scaffolding import LangChainWorker, ScaffoldingLLM, with_best_of_n, with_majority_vote
from scaffolding_core import UnknownMethodError
from tests.langchain.doubles import FULL, KnownLLM, Never, Runs
from tests.servers.scripted import Paced, Reply, scripted_server


def voted(answers, n=None, **fields):
    inner = KnownLLM(answers=answers)
    return ScaffoldingLLM.wrap(inner, sample_num=n or len(answers), method_options=FULL, **fields), inner


async def test_each_way_of_calling_gives_the_voted_text():
    model, inner = voted(["7", "8", "7"])
    assert model.invoke("q") == "7"
    assert await model.ainvoke("q") == "7"
    assert "".join(model.stream("q")) == "7"
    assert "".join([text async for text in model.astream("q")]) == "7"
    assert model.batch(["a", "b"]) == ["7", "7"]
    assert await model.abatch(["a", "b"]) == ["7", "7"]
    assert model.generate(["a"]).generations[0][0].text == "7"
    assert (await model.agenerate(["a"])).generations[0][0].text == "7"
    assert len(inner.calls) == 3 * 10


async def test_the_prompt_reaches_the_model_as_it_is():
    model, inner = voted(["7"])
    chain = PromptTemplate.from_template("6 times {n} is") | model | StrOutputParser()
    assert chain.invoke({"n": 7}) == "7"
    assert await model.ainvoke("q", stop=["\n"], temperature=0.3) == "7"
    assert inner.calls == [("6 times 7 is", {"stop": None}), ("q", {"stop": ["\n"], "temperature": 0.3})]


def test_a_server_is_asked_for_completions_not_for_chats():
    with scripted_server(Reply(pieces=("7",))) as server:
        model = ScaffoldingLLM(base_url=server.url, sample_num=1, max_tokens=5)
        assert model.invoke("6 times 7 is", seed=3) == "7"
        model.close()
    assert [body["prompt"] for body in server.requests] == ["6 times 7 is"]
    assert server.requests[0]["max_tokens"] == 5


async def test_usage_and_details_are_those_of_all_samples():
    model, _ = voted(["7", "8", "7"])
    for result in (model.generate(["a", "b"]), await model.agenerate(["a", "b"])):
        assert result.llm_output["token_usage"] == {
            "prompt_tokens": 12,
            "completion_tokens": 6,
            "total_tokens": 18,
        }
        for (generation,) in result.generations:
            details = generation.generation_info["scaffolding"]
            assert details["votes"] == {"7": 2, "8": 1}
            assert details["usage"]["calls"] == 3
            assert generation.generation_info["token_usage"]["total_tokens"] == 9
        assert result.llm_output["model_name"] == "KnownLLM"


async def test_each_sample_is_a_chain_run_under_the_run_of_its_own_prompt():
    model, _ = voted(["7", "8", "7"])
    runs = Runs()
    config = {"callbacks": [runs], "tags": ["mine"]}
    model.invoke("q", config)
    await model.ainvoke("q", config)
    list(model.stream("q", config))
    [text async for text in model.astream("q", config)]
    model.generate(["a", "b"], callbacks=[runs])
    await model.agenerate(["a", "b"], callbacks=[runs])
    assert [run.run_type for run in runs.tops] == ["llm"] * 8
    for run in runs.tops:
        assert [child.name for child in run.child_runs] == ["sample"] * 3
        assert {child.inputs["input"] for child in run.child_runs} == set(run.inputs["prompts"])
        assert sorted(child.outputs["output"] for child in run.child_runs) == ["7", "7", "8"]
    assert all("mine" in child.tags for run in runs.tops[:4] for child in run.child_runs)


async def test_one_branch_methods_stream_live_and_tell_callbacks():
    class Tokens(BaseCallbackHandler):
        def __init__(self):
            self.tokens = []

        def on_llm_new_token(self, token, **kwargs):
            self.tokens.append(token)

    paced = Paced("a", "b", "c")
    with scripted_server(paced) as server:
        model = ScaffoldingLLM(method="direct", base_url=server.url)
        tokens = Tokens()
        texts = [paced.take(text) for text in model.stream("q", {"callbacks": [tokens]})]
        assert [t for t in texts if t] == ["a", "b", "c"] == [t for t in tokens.tokens if t]
        assert [paced.take(t) async for t in model.astream("q") if t] == ["a", "b", "c"]
        server.script = Reply(pieces=("a", "b", "c"))
        assert model.bind().invoke("q", {"callbacks": [Tokens()]}) == "abc"
        eager = model.model_copy(update={"streaming": True})
        tokens = Tokens()
        assert eager.invoke("q", {"callbacks": [tokens]}) == "abc" == "".join(tokens.tokens)
        tokens = Tokens()
        result = await eager.agenerate(["q"], callbacks=[tokens])
        assert result.llm_output["token_usage"]["total_tokens"] == 7
        assert "".join(tokens.tokens) == "abc"
        await model.aclose()


async def test_cancelling_the_call_cancels_its_samples():
    never = Never()
    model = ScaffoldingLLM.wrap(RunnableLambda(never.ends), "direct")
    await never.is_cut_with(model.ainvoke("q"))


async def test_an_input_that_fails_costs_the_others_nothing():
    class Picky(KnownLLM):
        def _generate(self, prompts, stop=None, run_manager=None, **kwargs):
            if prompts == ["bad"]:
                raise ConnectionError("down")
            return super()._generate(prompts, stop, run_manager, **kwargs)

    model = ScaffoldingLLM.wrap(Picky(answers=["7"]), sample_num=2, method_options=FULL)
    for answers in (
        model.batch(["a", "bad", "b"], return_exceptions=True),
        await model.abatch(["a", "bad", "b"], {"max_concurrency": 2}, return_exceptions=True),
    ):
        assert (answers[0], answers[2]) == ("7", "7")
        assert "down" in str(answers[1])
    with pytest.raises(Exception, match="down"):
        await model.agenerate(["a", "bad"])
    with pytest.raises(Exception, match="down"):
        model.generate(["a", "bad"])


async def test_method_parameters_come_by_call_by_configuration_and_by_field():
    model, inner = voted(["7"])
    await model.ainvoke("q", sample_num=3)
    assert len(inner.calls) == 3
    await model.with_config(configurable={"sample_num": 2}).ainvoke("q")
    assert len(inner.calls) == 5
    assert "".join(model.stream("q", {"configurable": {"method": "direct"}})) == "7"
    assert len(inner.calls) == 6
    fields = model.configurable_fields(sample_num=ConfigurableField("n"))
    await fields.ainvoke("q", {"configurable": {"n": 4}})
    assert len(inner.calls) == 10


async def test_every_method_takes_a_completion_model():
    inner = KnownLLM(answers=["a", "ccc", "bb"])
    best = with_best_of_n(inner, lambda prompt, answer: len(answer), n=3)
    assert isinstance(best, ScaffoldingLLM)
    assert await best.ainvoke("q") == "ccc"
    assert with_majority_vote(inner, n=1).invoke("q") == "a"
    thought = ScaffoldingLLM.wrap(inner, "chain_of_thought", method_options={"instruction": "Think."})
    thought.invoke("q")
    assert inner.calls[-1][0] == "q\n\nThink."
    sampled = ScaffoldingLLM.wrap(inner, "direct", method_options={"sampling_params": {"temperature": 0.3}})
    sampled.invoke("q")
    assert inner.calls[-1][1]["temperature"] == 0.3


def test_a_global_cache_does_not_turn_all_samples_into_one():
    model, inner = voted(["7", "8", "9", "9"])
    set_llm_cache(InMemoryCache())
    try:
        assert model.invoke("q") == "9"
        assert len(inner.calls) == 4
        assert model.invoke("q") == "9"
        assert len(inner.calls) == 4  # the vote itself is cached, as any model's answer
    finally:
        set_llm_cache(None)


def test_no_cache_joins_the_samples_of_a_chain_around_a_model():
    counter = itertools.count()

    class Counting(KnownLLM):
        def _generate(self, prompts, stop=None, run_manager=None, **kwargs):
            next(counter)
            return super()._generate(prompts, stop, run_manager, **kwargs)

    chain = {"x": RunnableLambda(str)} | PromptTemplate.from_template("{x}") | Counting(answers=["7"]).bind(a=1)
    set_llm_cache(InMemoryCache())
    try:
        ScaffoldingLLM.wrap(chain, sample_num=4, method_options=FULL).invoke("q")
    finally:
        set_llm_cache(None)
    assert next(counter) == 4


async def test_a_blocking_call_works_inside_a_running_loop():
    model, _ = voted(["7"])
    assert model.invoke("q") == "7"
    assert model.generate(["a", "b"]).generations[1][0].text == "7"


def test_models_pickle_before_and_after_a_call():
    model, _ = voted(["7"])
    assert pickle.loads(pickle.dumps(model)).invoke("q") == "7"
    model.invoke("q")
    assert pickle.loads(pickle.dumps(model)).invoke("q") == "7"


async def test_wrong_names_are_one_typed_error():
    model, _ = voted(["7"])
    with pytest.raises(UnknownMethodError, match="no method is named 'vote'"):
        await model.ainvoke("q", method="vote")
    with pytest.raises(ValueError, match="needs a chat model or a chain"):
        ScaffoldingLLM.wrap("gpt")


async def test_the_embedded_model_completes_and_votes(embedded_worker):
    with_worker = ScaffoldingLLM(
        worker=embedded_worker, sample_num=3, max_tokens=8, temperature=0.8, seed=1, method_options=FULL
    )
    assert isinstance(with_worker, BaseLLM)
    result = await with_worker.agenerate(["The capital of France is"])
    (generation,) = result.generations[0]
    assert generation.text.strip()
    assert generation.generation_info["scaffolding"]["samples"] == 3
    assert 0 < result.llm_output["token_usage"]["completion_tokens"] <= 24
    await with_worker.aclose()


async def test_a_completion_model_is_a_worker_of_the_core():
    inner = KnownLLM(answers=["7"])
    assert LangChainWorker(inner).model.cache is False
    assert inner.cache is None
