"""Each run that begins ends, however its sample ends."""

import asyncio
import threading
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, StateGraph

from langchain_scaffolding import with_majority_vote
from tests.langchain.doubles import FULL, ONE_AT_A_TIME, Never, Scripted


class Told:
    """Knows which runs are open; being told of samples at one moment takes until it is let go on."""

    def __init__(self, moment, after=0):
        self.moment, self.after = moment, after
        self.open, self.told = {}, 0
        self.waits, self.goes_on, self.all_ended = threading.Event(), threading.Event(), threading.Event()

    def _start(self, run_id, name):
        self.open[run_id] = name
        return self.moment == "start" and name == "sample"

    def _end(self, run_id):
        if self.moment != "end" or self.open.get(run_id) != "sample":
            return False
        with ONE_AT_A_TIME:
            self.told += 1
            return self.told > self.after

    def _ended(self, run_id):
        self.open.pop(run_id)
        if not self.open:
            self.all_ended.set()


class Blocking(Told, BaseCallbackHandler):
    def _wait(self):
        self.waits.set()
        assert self.goes_on.wait(60)

    def on_chain_start(self, serialized, inputs, *, run_id, name=None, **kwargs):
        if self._start(run_id, name):
            self._wait()

    def on_chain_end(self, outputs, *, run_id, **kwargs):
        if self._end(run_id):
            self._wait()
        self._ended(run_id)

    def on_chain_error(self, error, *, run_id, **kwargs):
        self._ended(run_id)


class Async(Told, AsyncCallbackHandler):
    async def _wait(self):
        self.waits.set()
        assert await asyncio.to_thread(self.goes_on.wait, 60)

    async def on_chain_start(self, serialized, inputs, *, run_id, name=None, **kwargs):
        if self._start(run_id, name):
            await self._wait()

    async def on_chain_end(self, outputs, *, run_id, **kwargs):
        if self._end(run_id):
            await self._wait()
        self._ended(run_id)

    async def on_chain_error(self, error, *, run_id, **kwargs):
        self._ended(run_id)


async def rest():
    """All that runs beside the test ends."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


@pytest.mark.parametrize("moment", ["start", "end"])
@pytest.mark.parametrize("kind", [Blocking, Async])
async def test_a_sample_that_is_cut_while_its_run_is_told(kind, moment):
    told = kind(moment)
    vote = with_majority_vote(RunnableLambda(lambda q: "24"), 3, **FULL)
    running = asyncio.ensure_future(vote.ainvoke("q", {"callbacks": [told]}))
    assert await asyncio.to_thread(told.waits.wait, 60)
    running.cancel()
    for _ in range(100):  # until the cut has gone all the way down
        await asyncio.sleep(0)
    told.goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    await rest()
    assert not told.open


def test_samples_of_a_blocking_call_that_are_cut_while_their_ends_wait_to_be_told():
    told = Blocking("end", after=21)
    vote = with_majority_vote(RunnableLambda(lambda q: "24"), 40)  # 21 make sure; the others wait for a thread
    calling = threading.Thread(target=vote.invoke, args=("q", {"callbacks": [told]}))
    calling.start()
    assert told.waits.wait(60)
    vote.invoke("q")  # until the cut has gone all the way down
    told.goes_on.set()
    calling.join(60)
    assert told.all_ended.wait(10)


@pytest.mark.parametrize("kind", [Blocking, Async])
async def test_a_sample_that_is_cut_or_fails(kind):
    never, told = Never(), kind(None)
    await never.is_cut_with(
        with_majority_vote(RunnableLambda(never.ends), 3, **FULL).ainvoke("q", {"callbacks": [told]})
    )
    await rest()
    assert not told.open

    def fails(given):
        raise ValueError

    with pytest.raises(Exception, match="samples failed"):
        await with_majority_vote(RunnableLambda(fails), 3, **FULL).ainvoke("q", {"callbacks": [told]})
    assert not told.open


def as_chain(steps):
    first, second = map(RunnableLambda, steps)
    return first | second


def as_graph(steps):
    graph = StateGraph(str)
    graph.add_sequence([("first", steps[0]), ("second", steps[1])])
    graph.add_edge(START, "first")
    return graph.compile()


@pytest.mark.parametrize("built", [as_chain, as_graph])
def test_a_chain_that_is_cut_in_its_thread_takes_no_further_step(built):
    slow, over = threading.Lock(), threading.Event()
    told, steps = Blocking(None), []
    others = [Blocking(None) for _ in range(5)]  # who is told first is chance

    def first(given):
        if len(steps) >= 2 or not slow.acquire(blocking=False):
            return "24"
        assert over.wait(60)
        return "24"

    chain = built([first, lambda given: steps.append(given) or given])
    assert with_majority_vote(chain, 3).invoke("q", {"callbacks": [told, *others]}) == "24"
    cut = [run for run, name in told.open.items() if name == "first"]
    assert len(cut) == 1
    over.set()
    for thread in threading.enumerate():
        if thread.name == "scaffolding-call":
            thread.join(60)
    assert not any(each.open for each in (told, *others))
    assert len(steps) == 2


class NeverAnswers(Scripted):
    """A chat model whose async calls end only when they are cut."""

    begun: Any = None

    async def _agenerate(self, messages, stop=None, run_manager=None, **kwargs):
        self.begun.set()
        await asyncio.sleep(300)


class Models(Blocking):
    def on_chat_model_start(self, serialized, messages, *, run_id, **kwargs):
        self.open[run_id] = "model"

    def on_llm_end(self, response, *, run_id, **kwargs):
        self.open.pop(run_id)

    def on_llm_error(self, error, *, run_id, **kwargs):
        self.open.pop(run_id)


@pytest.mark.parametrize(
    "vote",
    [
        lambda model: with_majority_vote(RunnableLambda(lambda given: given) | model, 2),
        lambda model: with_majority_vote(model, 2),
    ],
    ids=["inside a sampled chain", "that votes"],
)
async def test_the_run_of_a_model_ends_where_its_call_is_cancelled(vote):
    model = NeverAnswers(answers=[], begun=asyncio.Event())
    told = Models(None)
    running = asyncio.ensure_future(vote(model).ainvoke("q", {"callbacks": [told]}))
    await model.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await rest()
    assert not told.open
