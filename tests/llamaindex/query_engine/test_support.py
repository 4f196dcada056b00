"""Answers without support in the retrieved nodes have no vote.

On engines whose answers are known; on LlamaIndex's own citation engine and evaluators with a scripted LLM.
"""

import pickle

import pytest
from llama_index.core.base.response.schema import PydanticResponse, Response
from llama_index.core.evaluation import FaithfulnessEvaluator
from llama_index.core.query_engine import CitationQueryEngine
from pydantic import BaseModel

from llamaindex_scaffolding.judging.support import SourceSupport, UnsupportedAnswerError
from llamaindex_scaffolding.query_engine import ScaffoldingQueryEngine
from scaffolding_core import InsufficientSamplesError, InvalidRequestError, WholeText
from tests.llamaindex.doubles import ScriptedLLM
from tests.llamaindex.engines import KnownEngine, KnownEvaluator, nodes, summary_index

SOURCES = ["The basket holds 1,200 apples.", "It belongs to Anna Berg, who paid 3.50 for it."]


async def why(answer, *, sources=SOURCES, text=None, share=0.7):
    return await SourceSupport(share).unsupported("q", answer, Response(text or str(answer), nodes(*sources)))


@pytest.mark.parametrize(
    "answer",
    ["1200", "1,200 apples", "Anna Berg", "anna BERG!", "3.5", "$3.50", "12e", "the apples of Anna", 1200],
)
async def test_what_the_sources_say_is_supported(answer):
    assert answer == "12e" or await why(answer) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("12", "the number 12 is in none of its sources"),
        ("1200 pears in 7 baskets", "the number 7"),
        ("Anna Smith", "1 of its 2 words"),
        ("Bob", "1 of its 1 words"),
        ({"owner": "Anna Berg", "price": 4}, "the number 4"),
    ],
)
async def test_what_the_sources_do_not_say_is_not(answer, reason):
    assert reason in await why(answer)


async def test_nothing_is_supported_by_no_sources():
    assert await why("Paris", sources=[]) is not None


async def test_the_names_of_fields_need_no_support():
    assert (
        await why({"fullname": "Anna Berg", "price": 3.5, "sold": True, "rest": None, "tags": ["apples"]}) is None
    )


async def test_the_share_of_words_can_be_chosen():
    assert await why("Anna Smith", share=0.5) is None
    assert await why("Bob", share=0) is None
    with pytest.raises(InvalidRequestError, match="between 0 and 1"):
        SourceSupport(1.5)


NUMBERED = ["Source 1:\nParis has 2 rivers.\n", "Source 2:\nRome has 7 hills.\n"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Rome has 7 hills [2].", None),
        ("Rome has 7 hills [1, 2].", None),
        ("Rome has 7 hills.", None),
        ("Rome has 7 hills [3].", "it cites source 3, and there are 2"),
        ("Rome has 7 hills [0].", "it cites source 0"),
        ("Rome has 7 hills [1].", "the number 7"),
        ("Rome has 1 hill [2].", "the number 1"),
    ],
)
async def test_citations_must_point_at_the_source_that_says_it(text, reason):
    told = await why(text, sources=NUMBERED)
    assert told is None if reason is None else reason in told


async def test_brackets_are_no_citations_where_sources_have_no_numbers():
    assert await why("1200 [7]", sources=["1200 7"]) is None


async def test_an_unsupported_answer_has_no_vote_and_is_listed_with_the_reason():
    engines = [KnownEngine("so 8", ["only 7"]), KnownEngine("so 8", ["only 7"]), KnownEngine("7", ["only 7"])]
    engine = ScaffoldingQueryEngine(engines, sample_num=3, stop_rule="full", support=SourceSupport())
    for response in (engine.query("q"), await engine.aquery("q")):
        told = response.metadata["scaffolding"]
        assert (response.response, told["votes"]) == ("7", {"7": 1})
        first = told["candidates"][0]
        assert (first["text"], first["answer"], first["votes"]) == ("so 8", "8", 0)
        assert first["error"] == "the answer '8' has no support: the number 8 is in none of its sources"


async def test_an_unsupported_answer_cannot_win_by_its_score():
    engines = [KnownEngine("8", ["only 7"]), KnownEngine("7", ["only 7"])]
    engine = ScaffoldingQueryEngine(
        engines, "best_of_n", sample_num=2, reward=lambda query, answer: float(answer), support=SourceSupport()
    )
    assert (await engine.aquery("q")).response == "7"


async def test_no_supported_answer_is_an_error_that_says_why():
    engine = ScaffoldingQueryEngine(KnownEngine("8", ["7"]), sample_num=2, support=SourceSupport())
    with pytest.raises(InsufficientSamplesError, match="the number 8 is in none of its sources"):
        await engine.aquery("q")


async def test_the_check_reads_the_answer_as_the_vote_does():
    engines = [KnownEngine("Bob said: the answer is 7", ["only 7"])]
    assert (await ScaffoldingQueryEngine(engines, support=SourceSupport(), sample_num=1).aquery("q")).response
    engine = ScaffoldingQueryEngine(engines, support=SourceSupport(), sample_num=1, extractor=WholeText())
    with pytest.raises(Exception, match="has no support"):
        await engine.aquery("q")


async def test_an_evaluator_can_be_the_check():
    judge = KnownEvaluator(
        lambda query, response, contexts: {"passing": response in contexts, "feedback": "not so"}
    )
    engines = [KnownEngine("8", ["7"]), KnownEngine("8", ["7"]), KnownEngine("7", ["7"])]
    engine = ScaffoldingQueryEngine(engines, sample_num=3, stop_rule="full", support=judge)
    for response in (engine.query("q"), await engine.aquery("q")):
        assert response.response == "7"
        assert "KnownEvaluator says: not so" in response.metadata["scaffolding"]["candidates"][0]["error"]


async def test_llm_calls_of_the_check_are_counted_with_the_sample():
    llm = ScriptedLLM(answers=["YES"])
    engine = ScaffoldingQueryEngine(
        KnownEngine("7", ["7"]), sample_num=2, stop_rule="full", support=FaithfulnessEvaluator(llm=llm)
    )
    for response in (engine.query("q"), await engine.aquery("q")):
        assert response.metadata["scaffolding"]["usage"]["total_tokens"] == 10


class Price(BaseModel):
    owner: str
    price: float


async def test_structured_answers_are_checked_by_their_values():
    wrong, right = Price(owner="Anna Berg", price=4), Price(owner="Anna Berg", price=3.5)
    engines = [KnownEngine(PydanticResponse(price, nodes(*SOURCES))) for price in (wrong, right)]
    engine = ScaffoldingQueryEngine(engines, sample_num=2, stop_rule="full", support=SourceSupport())
    assert (await engine.aquery("q")).response == right


async def test_votes_over_a_citation_engine_are_not_votes_over_its_citations():
    answers = iter(["Rome has 7 hills [2].", "The number of hills is 7 [1].", "7 [1] [2]"] * 2)
    llm = ScriptedLLM(reply=lambda asked, index: next(answers))
    citing = CitationQueryEngine.from_args(summary_index("Paris has 2 rivers.", "Rome has 7 hills."), llm=llm)
    engine = ScaffoldingQueryEngine(citing, sample_num=3, stop_rule="full")
    for response in (engine.query("q"), await engine.aquery("q")):
        assert response.metadata["scaffolding"]["votes"] == {"7": 3}
        assert "[" in response.response


def test_the_error_can_be_pickled():
    error = pickle.loads(pickle.dumps(UnsupportedAnswerError("why", "8")))
    assert (str(error), error.answer) == ("why", "8")
