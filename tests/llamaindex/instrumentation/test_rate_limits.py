"""A rate limiter is asked once for each request: that of a wrapped LLM, and that of the LLM itself."""

import itertools

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.rate_limiter import BaseRateLimiter
from pydantic import BaseModel

from llamaindex_scaffolding import ScaffoldingLLM, with_majority_vote
from tests.llamaindex.doubles import ScriptedLLM, in_turn, tool_call
from tests.llamaindex.servers import FULL
from tests.servers.scripted import Reply, scripted_server


class Limiter(BaseRateLimiter):
    """Lets everything pass, and counts."""

    def __init__(self):
        self._asked = itertools.count()

    def acquire(self, num_tokens=0):
        next(self._asked)

    async def async_acquire(self, num_tokens=0):
        next(self._asked)

    @property
    def asked(self):
        """How often, since it was last read."""
        asked = next(self._asked)
        self._asked = itertools.count()
        return asked


class Word(BaseModel):
    """A word."""

    word: str


async def in_each_way(llm, limiter):
    """How often the limiter is asked in each of the eight ways to call."""
    chat = [ChatMessage("q")]
    yield llm.chat(chat), limiter.asked
    yield await llm.achat(chat), limiter.asked
    yield list(llm.stream_chat(chat)), limiter.asked
    yield [each async for each in await llm.astream_chat(chat)], limiter.asked
    yield llm.complete("q"), limiter.asked
    yield await llm.acomplete("q"), limiter.asked
    yield list(llm.stream_complete("q")), limiter.asked
    yield [each async for each in await llm.astream_complete("q")], limiter.asked


def set_on(llm, limiter):
    llm.rate_limiter = limiter
    return llm


@pytest.mark.parametrize("holder", ["wrapped", "wrapper", "both"])
@pytest.mark.parametrize("inner", [lambda: ScriptedLLM(answers=["7"]), MockLLM])  # a Mock's chat is its completion
async def test_once_for_each_sample_of_a_wrapped_llm(inner, holder):
    limiter = Limiter()
    wrapped = inner() if holder == "wrapper" else set_on(inner(), limiter)
    llm = with_majority_vote(wrapped, n=3, stop_rule="full")
    if holder != "wrapped":
        llm.rate_limiter = limiter
    assert {asked async for _, asked in in_each_way(llm, limiter)} == {3}


async def test_each_of_two_limiters_and_each_layer_of_two():
    inner, outer = Limiter(), Limiter()
    wrapped = with_majority_vote(set_on(ScriptedLLM(answers=["7"]), inner), n=2, stop_rule="full")
    llm = set_on(with_majority_vote(wrapped, n=3, stop_rule="full"), outer)
    await llm.achat([ChatMessage("q")])
    assert (inner.asked, outer.asked) == (6, 3)


async def test_predictions_of_structures():
    limiter = Limiter()
    wrapped = set_on(ScriptedLLM(answers=[tool_call("Word", word="yes")]), limiter)
    llm = with_majority_vote(wrapped, n=3, stop_rule="full")
    await llm.astructured_predict(Word, PromptTemplate("q"))
    assert limiter.asked == 3


async def test_once_for_each_sample_of_a_worker():
    limiter = Limiter()
    llm = ScaffoldingLLM(worker=in_turn(*"7" * 24), sample_num=3, method_options=FULL, rate_limiter=limiter)
    assert {asked async for _, asked in in_each_way(llm, limiter)} == {3}


@pytest.mark.parametrize("seed", [None, 1])  # with a seed, samples are requests of their own
async def test_once_for_each_request_that_a_server_gets(seed):
    limiter = Limiter()
    with scripted_server(Reply()) as server:
        llm = ScaffoldingLLM(
            api_base=server.url, model="m", sample_num=3, method_options=FULL, seed=seed, rate_limiter=limiter
        )
        async with llm:
            async for _, asked in in_each_way(llm, limiter):
                assert asked == len(server.requests) > 0
                server.requests.clear()
