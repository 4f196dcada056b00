"""Samples that are asked again with an evaluator's feedback.

On engines and evaluators whose answers are known: what they are asked the second time is the point.
"""

import asyncio
import threading

import pytest
from llama_index.core import Settings
from llama_index.core.base.response.schema import Response
from llama_index.core.evaluation import FaithfulnessEvaluator
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetryQueryEngine

from llamaindex_scaffolding import ScaffoldingLLM
from llamaindex_scaffolding.query_engine import ScaffoldingQueryEngine
from scaffolding_core import FunctionWorker
from tests.llamaindex.doubles import ScriptedLLM
from tests.llamaindex.engines import KnownEngine, KnownEvaluator, nodes, summary_index


def strict(*right):
    """Passes certain answers, and says what it wants of others."""
    return KnownEvaluator(
        lambda query, response, contexts: {"passing": response in right, "feedback": f"not {response}"}
    )


def learning(*answers):
    """An engine that answers a query by how much feedback it has seen."""
    state = iter(answers)
    return KnownEngine(lambda bundle: Response(next(state), nodes("s")))


async def test_a_failing_sample_is_asked_again_with_the_feedback():
    for way in ("query", "aquery"):
        inner, judge = learning("5", "6", "7"), strict("7")
        engine = ScaffoldingQueryEngine(inner, "direct", reward=judge, max_retries=3)
        response = engine.query("How many?") if way == "query" else await engine.aquery("How many?")
        assert response.response == "7"
        told = response.metadata["scaffolding"]
        assert [(one["text"], one["score"]) for one in told["candidates"]] == [("5", 0), ("6", 0), ("7", 1)]
        asked = [bundle.query_str for bundle in inner.queries]
        assert asked[0] == "How many?"
        assert "How many?" in asked[1]
        assert "not 5" in asked[1]
        assert "not 6" in asked[2]
        assert "not 5" not in asked[2]
        assert [query for query, _, _ in judge.asked] == ["How many?"] * 3
        assert inner.queries[2].embedding_strs == ["How many?"]


async def test_it_stops_after_the_retries_with_the_best_answer():
    judge = KnownEvaluator(lambda query, response, contexts: {"passing": False, "score": float(response)})
    engine = ScaffoldingQueryEngine(learning("5", "9", "7"), "direct", reward=judge, max_retries=2)
    response = await engine.aquery("q")
    assert (response.response, response.metadata["scaffolding"]["samples"]) == ("9", 3)


async def test_every_sample_of_a_vote_retries_by_itself():
    engines = [learning("5", "7"), learning("7"), learning("8", "8", "8")]
    engine = ScaffoldingQueryEngine(engines, sample_num=3, stop_rule="full", reward=strict("7"), max_retries=2)
    response = await engine.aquery("q")
    assert response.metadata["scaffolding"]["votes"] == {"7": 2, "8": 1}
    assert [len(inner.queries) for inner in engines] == [2, 1, 3]


async def test_an_answer_that_passes_is_asked_once():
    inner = learning("7")
    engine = ScaffoldingQueryEngine(inner, "direct", reward=strict("7"), max_retries=5)
    assert (await engine.aquery("q")).metadata["scaffolding"]["samples"] == 1


async def test_a_retry_that_fails_leaves_the_answer_before_it():
    answers = iter([Response("5", nodes("s")), ValueError("down")])
    engine = ScaffoldingQueryEngine(
        KnownEngine(lambda bundle: next(answers)), "direct", reward=strict("7"), max_retries=3
    )
    response = await engine.aquery("q")
    assert response.response == "5"
    assert "down" in response.metadata["scaffolding"]["candidates"][1]["error"]


async def test_llamaindexs_retry_engine_can_be_sampled_and_does_not_hold_up_the_loop():
    llm = ScriptedLLM(answers=["YES"])
    wait = threading.Event()
    inner = KnownEngine(lambda bundle: Response("7", nodes("s")) if wait.wait(60) else ValueError("held up"))
    retrying = RetryQueryEngine(inner, FaithfulnessEvaluator(llm=llm))
    engine = ScaffoldingQueryEngine(retrying, sample_num=2, stop_rule="full")
    query = asyncio.create_task(engine.aquery("q"))
    await asyncio.sleep(0.05)  # runs on the loop that the engine would block
    wait.set()
    assert (await query).metadata["scaffolding"]["votes"] == {"7": 2}
    assert engine.query("q").response == "7"
    assert threading.get_ident() not in inner.threads


async def test_llamaindexs_retry_engine_over_a_scaffolded_llm_works_inside_a_running_loop():
    said = []

    def known(task):
        prompt = task.messages[-1].text
        said.append(prompt)
        if "Information:" in prompt:
            return "NO" if "Information: Rome" in prompt else "YES"
        return "Paris" if "previous bad answer" in prompt else "Rome"

    llm = ScaffoldingLLM(worker=FunctionWorker(known), sample_num=3)
    engine = summary_index("Paris is the capital.").as_query_engine(llm=llm)
    Settings.llm = MockLLM()  # LlamaIndex's feedback transformation asks for one
    try:
        retrying = RetryQueryEngine(engine, FaithfulnessEvaluator(llm=llm), max_retries=1)
        assert str(await retrying.aquery("Which city?")) == "Paris"
        assert str(retrying.query("Which city?")) == "Paris"
    finally:
        Settings.llm = None
    assert len(said) >= 12


@pytest.mark.parametrize("max_retries", [0, 1])
async def test_a_judge_that_fails_costs_that_sample_alone(max_retries):
    def judge(query, response, contexts):
        if response == "8":
            raise ValueError("no verdict")
        return {"passing": True, "feedback": ""}

    engine = ScaffoldingQueryEngine(
        [KnownEngine("8"), KnownEngine("7")],
        "best_of_n",
        sample_num=2,
        reward=KnownEvaluator(judge),
        max_retries=max_retries,
    )
    response = await engine.aquery("q")
    assert response.response == "7"
    assert "no verdict" in response.metadata["scaffolding"]["candidates"][0]["error"]
