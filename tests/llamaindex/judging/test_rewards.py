"""LlamaIndex's evaluators and rerankers as rewards, for ScaffoldingLLM and for ScaffoldingQueryEngine.

Judges are scripted: a small model's verdicts are noise.
"""

import json
import pickle

import pytest
from llama_index.core.evaluation import (
    CorrectnessEvaluator,
    FaithfulnessEvaluator,
    PairwiseComparisonEvaluator,
    RelevancyEvaluator,
)
from llama_index.core.llms import MockLLM
from llama_index.core.postprocessor import LLMRerank, SimilarityPostprocessor
from llama_index.core.postprocessor.types import BaseNodePostprocessor

from llamaindex_scaffolding import ScaffoldingLLM, with_best_of_n
from llamaindex_scaffolding.judging.rewards import LOWEST_SCORE, EvaluatorWorker, RerankerWorker, core_reward
from llamaindex_scaffolding.query_engine import ScaffoldingQueryEngine
from scaffolding_core import AssistantMessage, InsufficientSamplesError, InvalidRequestError, RewardTask
from tests.llamaindex.doubles import ScriptedLLM
from tests.llamaindex.engines import KnownEngine, KnownEvaluator


def judge(*accepted, yes="YES", no="NO"):
    """An LLM that accepts what it is asked about if it names one of these."""
    return ScriptedLLM(reply=lambda asked, index: yes if any(name in str(asked) for name in accepted) else no)


class Lengths(BaseNodePostprocessor):
    """Ranks by length, as a cross-encoder ranks by its own score; drops what is empty."""

    def _postprocess_nodes(self, nodes, query_bundle=None):
        assert query_bundle.query_str == "q"
        for node in nodes:
            node.score = float(len(node.node.get_content()))
        return [node for node in nodes if node.score]


ENGINES = [KnownEngine("Rome", ["Paris is the capital"]), KnownEngine("Paris is it", ["Paris is the capital"])]


@pytest.mark.parametrize(
    ("reward", "score"),
    [
        (FaithfulnessEvaluator(llm=judge("Paris is it")), 1.0),
        (RelevancyEvaluator(llm=judge("Paris is it")), 1.0),
        (CorrectnessEvaluator(llm=judge("Paris is it", yes="4.5\nright", no="1.0\nwrong")), 4.5),
        (LLMRerank(llm=judge("Paris is it", yes="Doc: 1, Relevance: 9", no="Doc: 1, Relevance: 2")), 9.0),
        (Lengths(), 11.0),
        (lambda query, answer: float(len(answer)), 11.0),
        ({"kind": "regex", "pattern": "is it$"}, 1.0),
        ({"kind": "combined", "rewards": [FaithfulnessEvaluator(llm=judge("Paris is it")), Lengths()]}, 6.0),
    ],
)
async def test_each_kind_of_reward_chooses_a_sample_of_query_engines(reward, score):
    engine = ScaffoldingQueryEngine(ENGINES, "best_of_n", sample_num=2, reward=reward)
    for response in (engine.query("q"), await engine.aquery("q")):
        assert (response.response, response.metadata["scaffolding"]["score"]) == ("Paris is it", score)
        json.dumps(response.metadata["scaffolding"], allow_nan=False)


@pytest.mark.parametrize(
    "reward",
    [
        CorrectnessEvaluator(llm=judge("Paris", yes="4.5\nright", no="1.0\nwrong")),
        LLMRerank(llm=judge("Paris", yes="Doc: 1, Relevance: 9", no="Doc: 1, Relevance: 2")),
        KnownEvaluator(lambda query, response, contexts: {"passing": contexts is None and response == "Paris"}),
    ],
)
async def test_evaluators_and_rerankers_choose_a_sample_of_an_llm(reward):
    llm = with_best_of_n(ScriptedLLM(answers=["Rome", "Paris"]), reward, n=2)
    assert llm.complete("q").text == "Paris"
    assert (await llm.acomplete("q")).text == "Paris"


async def test_an_evaluator_that_needs_contexts_says_so_where_there_are_none():
    llm = with_best_of_n(ScriptedLLM(answers=["7"]), FaithfulnessEvaluator(llm=MockLLM()), n=2)
    with pytest.raises(InsufficientSamplesError, match="contexts and response must be provided"):
        await llm.acomplete("q")


@pytest.mark.parametrize("method", ["best_of_n", "majority_vote"])
def test_a_pairwise_evaluator_is_refused(method):
    evaluator = PairwiseComparisonEvaluator(llm=MockLLM())
    with pytest.raises(InvalidRequestError, match="scores none"):
        ScaffoldingLLM(method, llm=MockLLM(), reward=evaluator)
    with pytest.raises(InvalidRequestError, match="scores none"):
        ScaffoldingQueryEngine(KnownEngine("7"), method, reward=evaluator)


async def test_an_answer_that_a_reranker_drops_has_the_lowest_score():
    engines = [KnownEngine("Empty Response", []), KnownEngine("7")]
    engine = ScaffoldingQueryEngine(engines, "best_of_n", sample_num=2, reward=Lengths())
    for response in (engine.query("q"), await engine.aquery("q")):
        scores = [candidate["score"] for candidate in response.metadata["scaffolding"]["candidates"]]
        assert (response.response, scores) == ("7", [LOWEST_SCORE, 1.0])


async def test_a_postprocessor_that_does_not_score_is_refused():
    class Nothing(BaseNodePostprocessor):
        def _postprocess_nodes(self, nodes, query_bundle=None):
            return nodes

    engine = ScaffoldingQueryEngine(KnownEngine("7"), "best_of_n", sample_num=1, reward=Nothing())
    with pytest.raises(Exception, match="Nothing gave no score"):
        await engine.aquery("q")
    assert isinstance(core_reward(SimilarityPostprocessor()), RerankerWorker)


async def test_the_tokens_of_judges_are_counted():
    for reward in (FaithfulnessEvaluator(llm=judge("7")), LLMRerank(llm=judge("7", yes="Doc: 1, Relevance: 3"))):
        engine = ScaffoldingQueryEngine(KnownEngine("7"), "best_of_n", sample_num=2, reward=reward)
        for response in (engine.query("q"), await engine.aquery("q")):
            usage = response.metadata["scaffolding"]["usage"]
            assert (usage["total_tokens"], usage["calls"]) == (10, 2)


async def test_a_judge_that_is_a_scaffolded_llm_is_counted_once_with_its_samples():
    voting = ScaffoldingLLM.wrap(judge("7"), sample_num=3, method_options={"stop_rule": "full"})
    engine = ScaffoldingQueryEngine(
        KnownEngine("7"), "best_of_n", sample_num=2, reward=FaithfulnessEvaluator(llm=voting)
    )
    for response in (engine.query("q"), await engine.aquery("q")):
        assert response.metadata["scaffolding"]["usage"]["total_tokens"] == 30


async def test_verdict_and_feedback_go_into_the_task():
    evaluator = KnownEvaluator(
        lambda query, response, contexts: {"passing": False, "score": 0.2, "feedback": "no"}
    )
    task = RewardTask("q", response=AssistantMessage("7"))
    await EvaluatorWorker(evaluator).run_task(task)
    assert (task.reward, task.verdict, task.feedback) == (0.2, False, "no")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "neither a score nor a verdict: it rambled"),
        ({"score": 5.0, "passing": True, "invalid_result": True}, "no valid result: it rambled"),
    ],
    ids=["nothing", "invalid"],
)
async def test_an_evaluator_without_score_and_verdict_is_an_error(said, told):
    evaluator = KnownEvaluator(lambda query, response, contexts: {"invalid_reason": "it rambled", **said})
    engine = ScaffoldingQueryEngine(KnownEngine("7"), "best_of_n", sample_num=1, reward=evaluator)
    with pytest.raises(Exception, match=told):
        await engine.aquery("q")


def test_a_wrapped_llm_with_a_judge_can_be_pickled():
    llm = with_best_of_n(MockLLM(max_tokens=1), Lengths(), n=2)
    assert pickle.loads(pickle.dumps(llm)).complete("q").raw["samples"] == 2


async def test_a_reward_by_name_survives_being_written_and_gives_feedback_to_retries():
    reward = {"kind": "exact", "reference": "Paris"}
    llm = with_best_of_n(ScriptedLLM(answers=["Rome", "Paris"]), reward, n=2)
    assert ScaffoldingLLM.from_dict(llm.to_dict()).reward == reward
    assert (await llm.acomplete("q")).text == "Paris"
    engine = ScaffoldingQueryEngine(
        KnownEngine("Rome", []), "best_of_n", sample_num=2, max_retries=1, reward=reward
    )
    candidates = (await engine.aquery("q")).metadata["scaffolding"]["candidates"]
    assert [candidate["verdict"] for candidate in candidates] == [False, False]
