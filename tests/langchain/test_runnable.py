"""ScaffoldingRunnable: a whole chain sampled, with any input and any result.

The models are doubles with known answers, since votes, tokens and runs need to be known beforehand.
"""

import asyncio
import itertools
import json
import pickle
import threading
from dataclasses import dataclass
from operator import itemgetter
from uuid import uuid4

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableLambda
from pydantic import BaseModel

from langchain_scaffolding import (
    ChatScaffolding,
    NativeRunnableController,
    ScaffoldingLLM,
    ScaffoldingRunnable,
    with_best_of_n,
    with_chain_of_thought,
    with_majority_vote,
)
from scaffolding_core import (
    Budget,
    BudgetExceededError,
    CandidateEvent,
    DecisionEvent,
    FinalEvent,
    InsufficientSamplesError,
    InvalidRequestError,
    MajorityVoteController,
    ScaffoldingOutput,
    TokenEvent,
)
from tests.langchain.doubles import FULL, KnownChat, KnownLLM, Never, Runs
from tests.langchain.sampling import RETRIEVED, both, rag, sampled


async def test_a_rag_chain_is_voted_on_and_the_chosen_samples_result_comes_back_whole():
    chain, _ = rag(["it is 42", "41", "so 42"])
    for output in await both(sampled(chain, text="answer"), {"question": "q"}):
        assert isinstance(output, ScaffoldingOutput)
        assert (output.answer, output.votes) == ("42", {"42": 2, "41": 1})
        assert output.message.original["documents"] == RETRIEVED
        assert output.message.original["answer"] == output.text


async def test_one_line_puts_a_method_into_the_place_of_a_chain():
    chain, _ = rag(["42", "41", "42"])
    voted = with_majority_vote(chain, 3, text="answer", **FULL)
    follow = voted | itemgetter("answer")
    for answer in (
        *await both(follow, {"question": "q"}),
        *follow.stream({"question": "q"}),
        *[piece async for piece in follow.astream({"question": "q"})],
        *follow.batch([{"question": "q"}]),
    ):
        assert answer == "42"
    best = with_best_of_n(chain, lambda prompt, answer: -int(answer), n=3, text=itemgetter("answer"))
    assert best.invoke({"question": "q"})["answer"] == "41"


async def test_models_keep_their_kind_in_one_line_also_when_bound():
    chat, llm = KnownChat(answers=["7"]), KnownLLM(answers=["7"])
    assert isinstance(with_majority_vote(chat), ChatScaffolding)
    assert isinstance(with_majority_vote(chat.bind(stop=["x"])), ChatScaffolding)
    assert isinstance(with_majority_vote(chat.with_fallbacks([chat])), ChatScaffolding)
    assert isinstance(with_majority_vote(llm), ScaffoldingLLM)
    assert isinstance(with_majority_vote(llm.bind(stop=["x"])), ScaffoldingLLM)
    assert with_majority_vote(chat | StrOutputParser(), 1).invoke("q") == "7"


class City(BaseModel):
    name: str
    size: int = 1


@dataclass
class Town:
    name: str
    size: int = 1


@pytest.mark.parametrize(
    ("results", "answer"),
    [
        ([City(name="Rome"), City(name="Paris"), City(name="Paris")], {"name": "Paris", "size": 1}),
        ([Town("Rome"), Town("Paris"), Town("Paris")], {"name": "Paris", "size": 1}),
        ([{"a": [1, 2]}, {"a": [3]}, {"a": [3]}], {"a": [3]}),
        ([[Document("x")], [Document("y")], [Document("y")]], None),
        ([True, False, False], False),
        ([1, 2, 2], 2),
        (["so 7", "8", "it is 8"], "8"),
        ([AIMessage("7"), AIMessage("8"), AIMessage("8")], "8"),
        ([{"messages": [HumanMessage("q"), AIMessage(x)]} for x in "788"], "8"),
    ],
)
async def test_any_result_is_compared_as_what_it_is_and_kept_as_it_is(results, answer):
    counter = itertools.cycle(results)
    text = "messages" if isinstance(results[0], dict) and "messages" in results[0] else None
    output = sampled(RunnableLambda(lambda _: next(counter)), text=text).invoke("q")
    assert any(output.message.original is result for result in results[1:])
    assert output.agreement == pytest.approx(2 / 3)
    if answer is not None:
        assert output.answer == answer


async def test_any_input_reaches_the_chain_as_it_is():
    for given in (
        "q", {"a": 1, "b": [2]}, [HumanMessage("q")], HumanMessage("q"), City(name="Rome"), 7, {}, "",
        ChatPromptTemplate.from_template("{x}").invoke({"x": "q"}),
    ):  # fmt: skip
        seen = []
        model = sampled(RunnableLambda(lambda x, seen=seen: seen.append(x) or "7"), n=2)
        await both(model, given)
        assert len(seen) == 4
        assert all(x is given or x == given for x in seen)


async def test_a_method_may_add_to_the_prompt_and_the_rest_of_the_input_stays():
    seen = []
    chain = RunnableLambda(lambda x: seen.append(x) or "7")
    for given, now in (
        ("q", "q\n\nThink."),
        ({"question": "q", "k": 3}, {"question": "q\n\nThink.", "k": 3}),
        ([SystemMessage("s"), HumanMessage("q")], [SystemMessage("s"), HumanMessage("q\n\nThink.")]),
    ):
        with_chain_of_thought(chain, instruction="Think.").invoke(given)
        assert seen.pop() == now
    by_key = ScaffoldingRunnable.wrap(chain, "chain_of_thought", prompt="b", method_options={"instruction": "!"})
    by_key.invoke({"a": "x", "b": "y"})
    assert seen.pop() == {"a": "x", "b": "y\n\n!"}
    with pytest.raises(InvalidRequestError, match="no text under 'b'"):
        by_key.invoke({"a": "x"})
    with pytest.raises(InvalidRequestError, match="does not say where it is"):
        with_chain_of_thought(chain).invoke({"a": "x", "b": "y"})
    assert seen == []


async def test_rewards_see_prompt_answer_and_the_whole_result():
    chain, _ = rag(["41", "42"])
    seen = []
    judge = RunnableLambda(lambda given: seen.append(given) or float(given["answer"]))
    output = sampled(chain, 2, method="best_of_n", reward=judge, text="answer", method_options={}).invoke(
        {"question": "q"}
    )
    assert (output.text, output.score) == ("42", 42)
    assert {given["prompt"] for given in seen} == {"q"}
    assert all(given["result"]["documents"] == RETRIEVED for given in seen)


async def test_a_method_of_your_own_is_built_on_the_controller_that_calls_the_chain():
    counter = itertools.cycle([City(name="Rome"), City(name="Paris"), City(name="Paris")])
    method = MajorityVoteController(NativeRunnableController(), 3, stop_rule="full")
    output = ScaffoldingRunnable.wrap(RunnableLambda(lambda _: next(counter)), method).invoke("q")
    assert output.message.original == City(name="Paris")


async def test_structured_results_are_voted_on_field_by_field():
    results = itertools.cycle([City(name="Rome", size=2), City(name="Paris", size=2), City(name="Rome", size=3)])
    model = ScaffoldingRunnable.wrap(
        RunnableLambda(lambda _: next(results)), "field_vote", sample_num=3, method_options=FULL
    )
    for output in await both(model, "q"):
        assert output.answer == {"name": "Rome", "size": 2}
        assert isinstance(output.message.original, City)


async def test_a_chain_around_the_embedded_model_is_sampled(embedded_worker):
    model = ChatScaffolding(worker=embedded_worker, method="direct", max_tokens=8, temperature=0.8, seed=1)
    chain = ChatPromptTemplate.from_template("Name a city in {country}.") | model | StrOutputParser()
    output = await sampled(chain, 3).ainvoke({"country": "France"})
    assert all(candidate.text for candidate in output.candidates)
    assert output.usage.calls == 3
    assert 0 < output.usage.completion_tokens <= 24
    await model.aclose()


# Runs, tokens, usage.


async def test_streams_give_the_methods_events():
    model = sampled(KnownChat(answers=["seven", "eight", "seven"]) | StrOutputParser())
    for events in (list(model.stream("q")), [event async for event in model.astream("q")]):
        tokens = [event for event in events if isinstance(event, TokenEvent)]
        assert {event.branch for event in tokens} == {(0,), (1,), (2,)}
        written = ["".join(e.text for e in tokens if e.branch == (i,)) for i in range(3)]
        assert sorted(written) == ["eight", "seven", "seven"]
        assert sum(isinstance(event, CandidateEvent) for event in events) == 3
        assert isinstance(events[-2], DecisionEvent)
        assert isinstance(events[-1], FinalEvent)
        assert events[-1].output.text == "seven"


async def test_a_stream_never_changes_a_result_that_does_not_add_up():
    chain = KnownChat(answers=["[1, 2, 3]"]) | JsonOutputParser()
    events = [event async for event in sampled(chain, 1).astream("q")]
    assert events[-1].output.message.original == [1, 2, 3]


async def test_leaving_a_stream_cancels_the_samples():
    cut = asyncio.Event()
    first = itertools.count()

    async def slow(_):
        if next(first) == 0:
            return "7"
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cut.set()
            raise

    stream = sampled(RunnableLambda(slow), 2).astream("q")
    async for _ in stream:
        break
    await stream.aclose()
    await asyncio.wait_for(cut.wait(), 60)


# Parameters, failures, limits.


async def test_method_parameters_come_by_call_by_configuration_and_by_field():
    calls = itertools.count()

    def count(text, config):
        assert config["configurable"].get("thread_id", "x") == "x"
        next(calls)
        return "7"

    model = sampled(RunnableLambda(count), 2)
    model.invoke("q")
    await model.ainvoke("q", sample_num=3)
    await model.ainvoke("q", {"configurable": {"sample_num": 4, "thread_id": "x"}})
    model.configurable_fields(sample_num=ConfigurableField("n")).invoke("q", {"configurable": {"n": 5}})
    model.bind(sample_num=6).invoke("q")
    list(model.stream("q", {"configurable": {"method": "direct"}}))
    assert next(calls) == 2 + 3 + 4 + 5 + 6 + 1
    with pytest.raises(InvalidRequestError, match="no method is named 'vote'"):
        model.invoke("q", method="vote")


async def test_configurable_parts_of_the_chain_stay_configurable():
    inner = KnownChat(answers=["7"]).configurable_fields(answers=ConfigurableField("said"))
    for output in await both(sampled(inner, 1), "q", {"configurable": {"said": ["8"]}}):
        assert output.text == "8"


async def test_batches_keep_to_their_concurrency_and_failures_to_their_input():
    running, most = 0, 0

    async def answer(given):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        if given == "bad":
            raise ConnectionError("down")
        return "7"

    model = sampled(RunnableLambda(answer), 1)
    outputs = await model.abatch(["a", "bad", "b", "c"], {"max_concurrency": 2}, return_exceptions=True)
    assert most == 2
    assert [getattr(output, "text", None) for output in outputs] == ["7", None, "7", "7"]
    assert "down" in str(outputs[1])
    few = sampled(RunnableLambda(answer), 4, max_concurrency=1)
    most = 0
    await few.ainvoke("q")
    assert most == 1


async def test_samples_that_fail_or_lack_the_part_cost_themselves_alone():
    results = itertools.cycle([{"answer": "7"}, {"other": "8"}, None, {"answer": "7"}])
    output = sampled(RunnableLambda(lambda _: next(results)), 4, text="answer").invoke("q")
    assert output.votes == {"7": 2}
    errors = sorted(str(c.error) for c in output.candidates if c.error is not None)
    assert "no key 'answer'; it has: other" in errors[0]
    assert "a NoneType, has no 'answer'" in errors[1]
    with pytest.raises(InsufficientSamplesError, match="returned nothing"):
        sampled(RunnableLambda(lambda _: None), 2).invoke("q")
    with pytest.raises(InsufficientSamplesError, match="ZeroDivisionError"):
        await sampled(RunnableLambda(lambda _: 1 / 0), 2).ainvoke("q")


@pytest.mark.looptime
async def test_budgets_and_cancels_reach_the_chain():
    never = Never()
    model = sampled(RunnableLambda(never.ends), 2)
    with pytest.raises(BudgetExceededError):
        await model.ainvoke("q", budget=Budget(seconds=1))
    await asyncio.wait_for(never.cut.wait(), 60)
    await never.is_cut_with(model.ainvoke("q"))


async def test_a_blocking_call_works_inside_a_running_loop():
    chain, model = rag(["42"])
    assert sampled(chain, 2, text="answer").invoke({"question": "q"}).answer == "42"
    assert threading.get_ident() not in model.threads


def parse(text):
    return json.loads(text)


def test_pickling_before_and_after_a_call_and_schemas_and_graphs():
    model = sampled(KnownChat(answers=['{"a": 1}']) | StrOutputParser() | RunnableLambda(parse), 2, reward=max)
    assert pickle.loads(pickle.dumps(model)).invoke("q").answer == {"a": 1}
    model.invoke("q")
    again = pickle.loads(pickle.dumps(model))
    assert again.invoke("q").message.original == {"a": 1}
    assert again.chosen().get_graph().nodes
    assert model.get_output_jsonschema()
    assert model.get_input_jsonschema()


def test_what_is_no_runnable_is_refused():
    with pytest.raises(ValueError, match="needs a chat model or a chain"):
        ScaffoldingRunnable.wrap(lambda x: x)
    with pytest.raises(ValueError, match="a reward must be"):
        ScaffoldingRunnable.wrap(RunnableLambda(str), "best_of_n", reward=7)


async def test_a_cut_sample_ends_as_cancelled():
    counter = itertools.count()

    async def answer(_):
        await asyncio.sleep(30 if next(counter) >= 2 else 0)
        return "7"

    runs = Runs()
    model = sampled(RunnableLambda(answer), 3, method_options={"run_ahead": 3})
    output = await model.ainvoke("q", {"callbacks": [runs]})
    assert output.stopped == "decided"
    statuses = [run.outputs.get("status", "") for run in runs.tops[0].child_runs]
    assert sorted(statuses) == ["", "", "cancelled"]
    assert [run.error for run in runs.tops[0].child_runs] == [None] * 3


@pytest.mark.parametrize(
    "reasoning", [with_chain_of_thought, lambda chain: ScaffoldingRunnable.wrap(chain, "chain_of_thought")]
)
@pytest.mark.parametrize("voted", [with_majority_vote, ChatScaffolding.wrap, ScaffoldingLLM.wrap])
async def test_a_voted_chain_of_thought_over_a_chain_streams(voted, reasoning):
    chain = RunnableLambda(lambda given: given) | KnownChat(answers=["7"]) | StrOutputParser()
    vote = voted(reasoning(chain))
    pieces = [*vote.stream("q")], [piece async for piece in vote.astream("q")]
    for streamed in pieces:
        assert "".join(getattr(piece, "text", piece) for piece in streamed) == "7"


async def test_samples_of_a_graph_that_gives_its_messages_ids_all_run():
    def named(given):
        for message in given["messages"]:
            message.id = message.id or str(uuid4())
        return "42"

    runs = sampled(RunnableLambda(named), 3, max_concurrent_samples=1)
    given = {"messages": [HumanMessage("how tall?")]}
    output = await runs.ainvoke(given)
    assert [candidate.text for candidate in output.candidates] == ["42"] * 3
