"""ScaffoldingQueryEngine: several queries, one answer.

On engines whose answers are known, since votes have to come out the same each time; on the embedded model
where any answer will do.
"""

import asyncio
import json
import pickle
import threading

import pytest
from llama_index.core import get_response_synthesizer
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.response.schema import (
    AsyncStreamingResponse,
    PydanticResponse,
    Response,
    StreamingResponse,
)
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.evaluation import FaithfulnessEvaluator
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import (
    CustomQueryEngine,
    RetrieverQueryEngine,
    RouterQueryEngine,
    SubQuestionQueryEngine,
)
from llama_index.core.question_gen.types import BaseQuestionGenerator, SubQuestion
from llama_index.core.schema import QueryBundle
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import QueryEngineTool
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.span_handlers import SimpleSpanHandler
from pydantic import BaseModel

from llamaindex_scaffolding import ScaffoldingLLM
from llamaindex_scaffolding.query_engine import ScaffoldingQueryEngine
from scaffolding_core import (
    Budget,
    ChainOfThoughtController,
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    UnknownMethodError,
    UnsupportedParameterError,
    Usage,
    WholeText,
)
from tests.eventually import until
from tests.llamaindex.doubles import ScriptedLLM, tool_call
from tests.llamaindex.engines import KnownEngine, KnownEvaluator, nodes, summary_index


def voted(*answers, **options):
    engines = [answer if isinstance(answer, KnownEngine) else KnownEngine(answer) for answer in answers]
    options = {"sample_num": len(answers), "stop_rule": "full", **options}
    return ScaffoldingQueryEngine(engines, "majority_vote", **options), engines


async def both_ways(engine, query="Which city?"):
    """The response of a blocking and of an async query."""
    return engine.query(query), await engine.aquery(query)


async def test_samples_go_round_the_engines_and_the_vote_tells_how():
    engine, engines = voted("Paris", "Rome", "paris.")
    for response in await both_ways(engine):
        told = response.metadata["scaffolding"]
        assert (told["votes"], told["answer"], told["samples"]) == ({"Paris": 2, "Rome": 1}, "Paris", 3)
        assert (told["method"], told["stopped"]) == ("MajorityVoteController", "complete")
        assert told["agreement"] == pytest.approx(2 / 3)
        assert [candidate["text"] for candidate in told["candidates"]] == ["Paris", "Rome", "paris."]
        assert told["trace_id"] > 0
        json.dumps(told)
    assert [inner.calls for inner in engines] == [["query", "aquery"]] * 3


async def test_more_samples_than_engines_begin_again_with_the_first():
    engine, engines = voted("a", "b", sample_num=5)
    await engine.aquery("q")
    assert [len(inner.queries) for inner in engines] == [3, 2]


async def test_the_response_is_one_samples_response_whole():
    engine, _ = voted(
        KnownEngine("Rome", ["wrong"]), KnownEngine("Paris", ["x", "y"]), KnownEngine("Paris", ["z"])
    )
    for response in await both_ways(engine):
        assert type(response) is Response
        assert (response.response, response.metadata["of"]) == ("Paris", "Paris")
        assert [node.node.text for node in response.source_nodes] == ["x", "y"]
        told = response.metadata["scaffolding"]["candidates"]
        assert [candidate["source_nodes"] for candidate in told] == [["wrong"], ["x", "y"], ["z"]]


async def test_an_engines_own_response_is_left_as_it_is():
    own = Response("7", nodes("s"), {"k": 1})
    engine, _ = voted(KnownEngine(lambda query: own), sample_num=2)
    response = await engine.aquery("q")
    assert (own.metadata, response.metadata["k"]) == ({"k": 1}, 1)


async def test_best_of_n_judges_each_sample_by_its_own_source_nodes():
    judge = KnownEvaluator(lambda query, response, contexts: {"score": float(response in contexts[0])})
    engines = [KnownEngine("Rome", ["Paris is it"]), KnownEngine("Paris", ["Paris is it"])]
    engine = ScaffoldingQueryEngine(engines, "best_of_n", sample_num=2, reward=judge)
    for response in await both_ways(engine, "q"):
        assert response.response == "Paris"
        assert response.metadata["scaffolding"]["score"] == 1.0
    assert sorted(judge.asked) == sorted([("q", "Rome", ["Paris is it"]), ("q", "Paris", ["Paris is it"])] * 2)


async def test_direct_takes_one_sample():
    engine = ScaffoldingQueryEngine(KnownEngine("7"), "direct")
    for response in await both_ways(engine):
        assert (response.response, response.metadata["scaffolding"]["samples"]) == ("7", 1)


async def test_a_controller_is_a_method_too():
    vote = MajorityVoteController(NativeGenerationController(), 3, extractor=WholeText(), stop_rule="full")
    engine = ScaffoldingQueryEngine([KnownEngine("no 1"), KnownEngine("no 2"), KnownEngine("no 1")], vote)
    assert engine.query("q").metadata["scaffolding"]["votes"] == {"no 1": 2, "no 2": 1}


async def test_what_a_method_samples_can_be_a_method():
    inner = KnownEngine("so 7")
    thinking = ChainOfThoughtController(NativeGenerationController())
    engine = ScaffoldingQueryEngine(inner, sample_num=2, generation=thinking)
    assert (await engine.aquery("q")).metadata["scaffolding"]["votes"] == {"7": 2}
    assert all("step by step" in bundle.query_str for bundle in inner.queries)
    with pytest.raises(InvalidRequestError, match="max_retries"):
        ScaffoldingQueryEngine(inner, generation=thinking, reward=max, max_retries=1)


async def test_a_failing_sample_costs_that_sample_alone():
    engine, _ = voted("7", ValueError("no index"), "7")
    for response in await both_ways(engine):
        told = response.metadata["scaffolding"]
        assert (response.response, told["votes"]) == ("7", {"7": 2})
        assert "KnownEngine failed: ValueError: no index" in told["candidates"][1]["error"]


async def test_no_answer_at_all_is_an_error_with_the_reasons():
    engine, _ = voted(KeyError("a"), InvalidRequestError("b"))
    with pytest.raises(InsufficientSamplesError, match="KnownEngine failed"):
        engine.query("q")
    with pytest.raises(InsufficientSamplesError, match="KnownEngine failed"):
        await engine.aquery("q")


async def test_an_engine_that_found_nothing_has_no_vote():
    engine, _ = voted(KnownEngine("Empty Response", []), KnownEngine("Empty Response", []), KnownEngine("Paris"))
    for response in await both_ways(engine):
        assert (response.response, response.metadata["scaffolding"]["votes"]) == ("Paris", {"Paris": 1})
    engine, _ = voted(KnownEngine("Empty Response", []))
    assert engine.query("q").response == "Empty Response"


async def test_streamed_responses_are_read_inside_their_samples_and_the_chosen_one_is_streamed(capsys):
    llm = ScriptedLLM(answers=["It is 7"])
    index = summary_index("seven")
    engine = ScaffoldingQueryEngine(index.as_query_engine(llm=llm, streaming=True), sample_num=3, stop_rule="full")
    responses = await both_ways(engine)
    for response in responses:
        assert (response.response, str(response)) == ("It is 7", "It is 7")
        assert response.metadata["scaffolding"]["votes"] == {"7": 3}
        assert response.metadata["scaffolding"]["usage"]["total_tokens"] == 15
        assert [node.get_content() for node in response.source_nodes] == ["seven"]
    blocking, asynchronous = responses
    assert isinstance(blocking, StreamingResponse)
    assert isinstance(asynchronous, AsyncStreamingResponse)
    assert list(blocking.response_gen) == ["It", " is", " 7"]
    assert [text async for text in asynchronous.async_response_gen()] == ["It", " is", " 7"]
    assert (await asynchronous.get_response()).response == "It is 7"
    engine.query("q").print_response_stream()
    assert capsys.readouterr().out == "It is 7"
    assert {"stream_chat", "astream_chat"} == set(llm.record.calls)


class City(BaseModel):
    name: str
    people: int


async def test_structured_responses_are_compared_as_a_whole_and_stay_structured():
    paris, rome = City(name="Paris", people=2), City(name="Rome", people=2)
    engine, _ = voted(*[KnownEngine(PydanticResponse(city, nodes("s"))) for city in (rome, paris, paris)])
    for response in await both_ways(engine):
        assert (type(response), response.response) == (PydanticResponse, paris)
        assert response.metadata["scaffolding"]["agreement"] == pytest.approx(2 / 3)


class SyncOnly(CustomQueryEngine):
    def custom_query(self, query_str):
        return f"7 in {threading.get_ident() != MAIN}"


MAIN = threading.get_ident()


async def test_an_engine_without_async_runs_in_a_thread():
    for response in await both_ways(ScaffoldingQueryEngine(SyncOnly(), sample_num=2, extractor=WholeText())):
        assert response.metadata["scaffolding"]["votes"] == {"7 in True": 2}


async def test_cancelling_the_query_cancels_its_samples():
    engine, engines = voted(KnownEngine("7", wait=60), KnownEngine("7", wait=60))
    query = asyncio.create_task(engine.aquery("q"))
    await until(lambda: all(inner.waiting for inner in engines))
    query.cancel()
    with pytest.raises(asyncio.CancelledError):
        await query
    await until(lambda: [inner.cancelled for inner in engines] == [1, 1])


async def test_samples_run_at_the_same_time():
    barrier = asyncio.Barrier(3)

    class Meeting(KnownEngine):
        async def _aquery(self, query_bundle):
            await barrier.wait()
            return Response("7")

    engine = ScaffoldingQueryEngine(Meeting("7"), sample_num=3, stop_rule="full")
    async with asyncio.timeout(60):
        assert (await engine.aquery("q")).response == "7"


async def test_a_decided_vote_cuts_the_rest():
    engine, engines = voted(
        "7", "7", "7", KnownEngine("8", wait=60), KnownEngine("8", wait=60), stop_rule="lossless"
    )
    response = await engine.aquery("q")
    assert response.metadata["scaffolding"]["stopped"] == "decided"
    assert engines[3].queries == []


@pytest.mark.looptime
async def test_a_budget_ends_a_query_with_the_best_answer_so_far():
    engine, _ = voted("7", "7", KnownEngine("8", wait=60), budget=Budget(seconds=0.3))
    response = await engine.aquery("q")
    assert (response.response, response.metadata["scaffolding"]["stopped"]) == ("7", "budget")


async def test_a_blocking_query_works_inside_a_running_loop():
    engine, engines = voted("7", "8", "7")
    assert engine.query("q").response == "7"
    assert threading.get_ident() not in engines[0].threads


async def test_the_query_engine_gets_the_whole_query_bundle():
    engine, (inner,) = voted("7")
    bundle = QueryBundle("q", custom_embedding_strs=["other"])
    await engine.aquery(bundle)
    assert inner.queries == [bundle]


async def test_each_sample_is_a_span_under_the_querys_span():
    handler = SimpleSpanHandler()
    root = get_dispatcher()
    root.add_span_handler(handler)
    try:
        engine, _ = voted("7", "8")
        await both_ways(engine)
    finally:
        root.span_handlers.remove(handler)
    parents = {span.id_: span.parent_id for span in handler.completed_spans}

    def above(span):
        chain = []
        while span is not None:
            chain.append(span.rsplit("-", 5)[0])
            span = parents[span]
        return chain

    inner = [above(span) for span in parents if span.startswith("KnownEngine._")]
    assert len(inner) == 4
    for chain in inner:
        assert [name.split(".")[-1] for name in chain[-3:]] == ["sample", *[n.split(".")[-1] for n in chain[-2:]]]
        assert chain[-1].startswith("ScaffoldingQueryEngine") or chain[-1].startswith("BaseQueryEngine")


async def test_a_query_is_an_event_for_callbacks():
    debug = LlamaDebugHandler(print_trace_on_end=False)
    engine, _ = voted("7", "8", callback_manager=CallbackManager([debug]))
    await both_ways(engine)
    pairs = debug.get_event_pairs(CBEventType.QUERY)
    assert len(pairs) == 2
    assert {str(end.payload["response"]) for _, end in pairs} == {"7"}


async def test_tokens_of_the_engines_llm_calls_are_counted():
    llm = ScriptedLLM(answers=["7"])
    engine = ScaffoldingQueryEngine(summary_index("s").as_query_engine(llm=llm), sample_num=3, stop_rule="full")
    for response in await both_ways(engine):
        usage = response.metadata["scaffolding"]["usage"]
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["calls"]) == (9, 6, 3)


async def test_a_scaffolded_llm_inside_is_counted_once_with_all_its_samples():
    wrapped = ScaffoldingLLM.wrap(ScriptedLLM(answers=["7"]), sample_num=3, method_options={"stop_rule": "full"})
    own = ScaffoldingLLM(
        worker=FunctionWorker(lambda task: setattr(task, "usage", Usage(3, 2, calls=1)) or "7"),
        sample_num=3,
        method_options={"stop_rule": "full"},
    )
    for llm in (wrapped, own):
        engine = ScaffoldingQueryEngine(
            summary_index("s").as_query_engine(llm=llm), sample_num=2, stop_rule="full"
        )
        for response in await both_ways(engine):
            usage = response.metadata["scaffolding"]["usage"]
            assert (usage["total_tokens"], usage["calls"]) == (30, 6)


async def test_a_sampled_engine_inside_another_is_counted_once():
    inner = ScaffoldingQueryEngine(
        summary_index("s").as_query_engine(llm=ScriptedLLM(answers=["7"])), sample_num=2, stop_rule="full"
    )
    engine = ScaffoldingQueryEngine(inner, sample_num=2, stop_rule="full")
    for response in await both_ways(engine):
        assert response.metadata["scaffolding"]["usage"]["total_tokens"] == 20


async def test_a_failed_llm_call_is_counted_as_lost():
    llm = ScriptedLLM(reply=lambda asked, index: ValueError("down") if index == 0 else "7")
    engine = ScaffoldingQueryEngine(summary_index("s").as_query_engine(llm=llm), sample_num=2, stop_rule="full")
    usage = (await engine.aquery("q")).metadata["scaffolding"]["usage"]
    assert (usage["calls"], usage["lost_calls"], usage["total_tokens"]) == (2, 1, 5)


async def test_synthesize_samples_the_answer_alone():
    llm = ScriptedLLM(answers=["7"])
    engine = ScaffoldingQueryEngine(summary_index("never").as_query_engine(llm=llm), sample_num=2)
    bundle, given = QueryBundle("q"), nodes("given")
    for response in (engine.synthesize(bundle, given), await engine.asynthesize(bundle, given)):
        assert (response.response, response.metadata["scaffolding"]["samples"]) == ("7", 2)
        assert [node.node.text for node in response.source_nodes] == ["given"]


def test_retrieve_gives_the_nodes_of_all_engines_once():
    one, two = summary_index("a", "b"), summary_index("c")
    engines = [index.as_query_engine(llm=MockLLM()) for index in (one, two, one)]
    found = ScaffoldingQueryEngine(engines).retrieve(QueryBundle("q"))
    assert [node.node.text for node in found] == ["a", "b", "c"]


def test_prompts_of_the_engines_can_be_read_and_changed():
    engines = [summary_index("s").as_query_engine(llm=MockLLM()) for _ in range(2)]
    one, two = ScaffoldingQueryEngine(engines[0]), ScaffoldingQueryEngine(engines)
    assert "query_engine:response_synthesizer:text_qa_template" in one.get_prompts()
    name = "query_engine_1:response_synthesizer:text_qa_template"
    other = two.get_prompts()[name].partial_format(context_str="nothing")
    two.update_prompts({name: other})
    assert two.get_prompts()[name].kwargs == {"context_str": "nothing"}
    with pytest.raises(InvalidRequestError, match="no prompt is named 'query_engine:x'"):
        two.update_prompts({"query_engine:x": other})


def test_prompts_of_judges_can_be_read_and_changed():
    judge = FaithfulnessEvaluator(llm=MockLLM())
    engine = ScaffoldingQueryEngine(KnownEngine("7"), "best_of_n", reward=judge, support=judge)
    prompt = engine.get_prompts()["reward:eval_template"].partial_format(context_str="nothing")
    engine.update_prompts({"support:eval_template": prompt})
    assert engine.get_prompts()["reward:eval_template"].kwargs == {"context_str": "nothing"}


@pytest.mark.filterwarnings("ignore")
def test_it_is_pickled_where_its_engines_are():
    engine = ScaffoldingQueryEngine(summary_index("s").as_query_engine(llm=MockLLM(max_tokens=1)), sample_num=2)
    engine.query("q")
    again = pickle.loads(pickle.dumps(engine))
    assert again.query("q").metadata["scaffolding"]["samples"] == 2


async def test_as_a_tool_of_an_agent():
    engine, _ = voted("Paris", "Rome", "Paris")
    tool = QueryEngineTool.from_defaults(engine, name="cities", description="knows cities")
    assert str(tool.call("q")) == "Paris"
    llm = ScriptedLLM(reply=lambda asked, index: "done" if index else tool_call("cities", input="q"))
    result = await FunctionAgent(tools=[tool], llm=llm).run("Which city?")
    assert result.tool_calls[0].tool_output.content == "Paris"
    assert result.tool_calls[0].tool_output.raw_output.metadata["scaffolding"]["votes"] == {"Paris": 2, "Rome": 1}


async def test_behind_a_router():
    engine, _ = voted("Paris", "Paris")
    tool = QueryEngineTool.from_defaults(engine, description="knows cities")
    llm = ScriptedLLM(answers=['[{"choice": 1, "reason": "it knows"}]'])
    router = RouterQueryEngine(LLMSingleSelector.from_defaults(llm=llm), [tool], llm=llm)
    for response in await both_ways(router):
        assert response.response == "Paris"


class OneQuestion(BaseQuestionGenerator):
    """Asks one sub-question, so that no scripted LLM has to write its JSON."""

    def _get_prompts(self):
        return {}

    def _update_prompts(self, prompts):
        pass

    def generate(self, tools, query):
        return [SubQuestion(sub_question="Which?", tool_name="cities")]

    async def agenerate(self, tools, query):
        return self.generate(tools, query)


async def test_under_sub_questions():
    engine, engines = voted("Paris", "Rome", "Paris")
    tool = QueryEngineTool.from_defaults(engine, name="cities", description="knows cities")
    llm = ScriptedLLM(reply=lambda asked, index: "Paris" if "Paris" in str(asked) else "lost")
    asking = SubQuestionQueryEngine(
        OneQuestion(), get_response_synthesizer(llm=llm), [tool], verbose=False, use_async=False
    )
    for response in await both_ways(asking):
        assert response.response == "Paris"
    assert engines[0].queries[0].query_str == "Which?"


async def test_the_embedded_model_votes_over_two_retrievers(local_worker):
    llm = ScaffoldingLLM("direct", worker=local_worker, temperature=0.0, max_tokens=12)
    index = summary_index("The basket holds 12 apples.", "The basket is red.")
    by_words = BM25Retriever.from_defaults(index=index, similarity_top_k=1)
    engines = [index.as_query_engine(llm=llm), RetrieverQueryEngine.from_args(by_words, llm=llm)]
    engine = ScaffoldingQueryEngine(engines, sample_num=4, answers="number", stop_rule="full")
    for response in await both_ways(engine, "How many apples are in the basket?"):
        told = response.metadata["scaffolding"]
        assert told["votes"][told["answer"]] >= 2  # `12`, or `12 apples`
        assert [len(candidate["source_nodes"]) for candidate in told["candidates"]] == [2, 1, 2, 1]
        assert told["usage"]["calls"] == 4
        assert told["usage"]["prompt_tokens"] > 100


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([],), InvalidRequestError, "no query engine"),
        (([MockLLM()],), InvalidRequestError, "must be a BaseQueryEngine, got MockLLM"),
        ((KnownEngine("7"), "guess"), UnknownMethodError, "guess"),
        ((KnownEngine("7"), "best_of_n"), InvalidRequestError, "pass reward="),
    ],
)
def test_bad_input_is_refused_when_it_is_built(arguments, error, match):
    with pytest.raises(error, match=match):
        ScaffoldingQueryEngine(*arguments)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"max_retries": 2}, "pass reward="),
        ({"samples": 3}, "does not take these options"),
        ({"method": "direct", "sample_num": 3}, "takes one sample"),
        ({"sample_num": 0}, "sample_num"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"max_retries": -1, "reward": max}, "max_retries"),
        (
            {"method": MajorityVoteController(NativeGenerationController()), "stop_rule": "full"},
            "give 'stop_rule' to the controller",
        ),
        (
            {"method": NativeGenerationController(), "max_retries": 2, "reward": max},
            "let your controller ask again",
        ),
    ],
)
def test_bad_options_are_refused(options, match):
    with pytest.raises(InvalidRequestError, match=match):
        ScaffoldingQueryEngine(KnownEngine("7"), **options).query("q")


def test_a_sampling_parameter_that_an_engine_cannot_honour_is_named():
    generation = NativeGenerationController({"temperature": 0.5})
    engine = ScaffoldingQueryEngine(KnownEngine("7"), generation)
    with pytest.raises(UnsupportedParameterError, match="takes no temperature"):
        engine.query("q")


async def test_structured_responses_can_be_voted_on_field_by_field():
    cities = [City(name="Paris", people=1), City(name="Rome", people=2), City(name="Paris", people=2)]
    engines = [KnownEngine(PydanticResponse(city, nodes("s"))) for city in cities]
    engine = ScaffoldingQueryEngine(engines, "field_vote", sample_num=3)
    for response in await both_ways(engine):
        told = response.metadata["scaffolding"]
        assert told["answer"] == {"name": "Paris", "people": 2}
        assert (type(response), response.response) == (PydanticResponse, cities[2])
