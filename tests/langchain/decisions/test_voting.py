"""VotingDecisionModel: shares of a chat model's votes as probabilities.

On doubles with known answers: a share can only be checked where each sample is known.
"""

import asyncio
import subprocess
import sys
import threading

import pytest
from langchain_core.decisions import Box, Choice, Noul, NoulCriteria, Score
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda

from langchain_scaffolding import ChatScaffolding
from langchain_scaffolding.decisions import VotingDecisionModel
from scaffolding_core import InsufficientSamplesError, InvalidRequestError, WorkerError
from tests.langchain.doubles import Never, Runs, Scripted, names

URGENT = Noul(instructions="Is it urgent?")
TEAM = Choice(instructions="Who?", criteria={"billing": "Payment.", "none_of_the_above": None, "unknown": None})
ANGER = Score(instructions="How angry?", criteria=["Calm.", "Failed 2 times.", "Annoyed.", "Rude."])

both_ways = pytest.mark.parametrize("how", ["sync", "async"])


async def ask(model, how, state="Help!", config=None, **questions):
    request = {"state": state, "questions": questions}
    if how == "sync":
        return await asyncio.to_thread(model.invoke, request, config)
    return await model.ainvoke(request, config)


def votes(*samples, **fields):
    model = Scripted(answers=[*samples], calls=[])
    return VotingDecisionModel.wrap(model, **{"sample_num": len(samples), **fields}), model


@both_ways
async def test_the_probability_of_yes_is_its_share_of_the_votes_and_who_says_neither_has_none(how):
    model, _ = votes("yes", "No.", "**Yes**", "I cannot say.", "Yes, it is.", "maybe")
    response = await ask(model, how, urgent=URGENT)
    assert response.nouls["urgent"].noul == 0.75
    poll = response.polls["urgent"]
    assert (poll.votes, poll.voted, poll.abstained, poll.failed) == ({"yes": 3, "no": 1}, 4, 2, 0)
    assert response.usage["total_tokens"] == 18
    assert response.model == "Scripted"


@both_ways
async def test_a_label_is_chosen_by_its_share_however_it_is_spoken(how):
    said = ["None of the above.", "billing", "unknown", "Answer: none_of_the_above", "billing or unknown"]
    model, _ = votes(*said)
    answer = (await ask(model, how, team=TEAM)).choices["team"]
    assert answer.choice == "none_of_the_above"
    assert answer.probabilities == {"billing": 0.25, "none_of_the_above": 0.5, "unknown": 0.25}
    assert answer.confidence == 0.5


@pytest.mark.parametrize(
    ("said", "level"),
    [("2", 2), ("Level 2", 2), ("3 out of 3", 3), ("Rude.", 3), ("It is 1: failed 2 times.", 1), ("1.5", None),
     ("4", None), ("-1", None), ("I give it a 0.", 0)],
)  # fmt: skip
async def test_a_score_is_read_as_a_level_by_number_or_description(said, level):
    model, _ = votes("0", said)
    answer = (await ask(model, "async", anger=ANGER)).scores["anger"]
    expected = (level or 0) / (1 if level is None else 2)
    assert answer.score == expected


async def test_a_score_is_the_expected_level_with_its_legend():
    model, _ = votes("0", "3", "3", "2")
    answer = (await ask(model, "async", anger=ANGER)).scores["anger"]
    assert answer.score == 2.0
    assert answer.probabilities == {0: 0.25, 1: 0.0, 2: 0.25, 3: 0.5}
    assert answer.legend == dict(enumerate(ANGER.criteria))
    assert answer.confidence == 0.5


async def test_the_question_is_told_with_its_criteria_and_the_state_as_data():
    model, chat = votes("yes")
    state = {"messages": [HumanMessage("hi"), AIMessage("", tool_calls=[{"name": "rm", "args": {}, "id": "1"}])]}
    criteria = NoulCriteria(true="harm", false={"risk": "low"})
    await ask(model, "async", state, risky=Noul(instructions="Risky?", criteria=criteria))
    system, human = chat.calls[0][0]
    assert "data" in system.text
    for told in (
        '"role": "user", "content": "hi"',
        '"name": "rm"',
        "Risky?",
        "harm",
        '{"risk": "low"}',
        "yes or no",
    ):
        assert told in human.text


async def test_pictures_in_the_state_are_shown_to_the_chat_model():
    model, chat = votes("yes")
    picture = {"type": "image", "base64": "AAAA", "mime_type": "image/png"}
    await ask(model, "async", [HumanMessage([{"type": "text", "text": "this"}, picture])], cat=URGENT)
    content = chat.calls[0][0][1].content
    assert content[1] == picture
    assert "[attachment 1]" in content[0]["text"]
    assert "AAAA" not in content[0]["text"]


@both_ways
async def test_questions_are_voted_on_at_the_same_time_each_by_itself(how):
    all_there = threading.Barrier(2, timeout=60)

    def answer(messages):
        all_there.wait()
        return AIMessage("billing" if "Who?" in messages[1].text else "yes")

    model = VotingDecisionModel.wrap(RunnableLambda(answer), sample_num=1)
    response = await ask(model, how, urgent=URGENT, team=TEAM)
    assert response.nouls["urgent"].noul == 1
    assert response.choices["team"].choice == "billing"


@both_ways
async def test_each_sample_is_a_child_run_of_the_decision_with_nothing_beneath(how):
    runs, (model, _) = Runs(), votes("yes", "no")
    await ask(model, how, config={"callbacks": [runs]}, urgent=URGENT)
    [run] = runs.tops
    assert names(run) == ("VotingDecisionModel", [("sample", []), ("sample", [])])
    assert run.run_type == "llm"
    assert run.extra["metadata"]["ls_model_name"] == "Scripted"


async def test_in_a_batch_each_request_has_votes_of_its_own():
    model = VotingDecisionModel.wrap(
        RunnableLambda(lambda messages: "yes" if "fire" in messages[1].text else "no")
    )
    requests = [{"state": state, "questions": {"urgent": URGENT}} for state in ("fire", "rain")]
    for responses in (await asyncio.to_thread(model.batch, requests), await model.abatch(requests)):
        assert [response.nouls["urgent"].noul for response in responses] == [1, 0]


def bound(model):
    return model.bind(stop=["x"])


def with_fallbacks(model):
    return RunnableLambda(_refused).with_fallbacks([model])


def _refused(messages):
    raise ConnectionError("down")


def with_a_method(model):
    return ChatScaffolding.wrap(model, "direct")


@both_ways
@pytest.mark.parametrize("made", [bound, with_fallbacks, with_a_method])
async def test_whatever_takes_messages_and_returns_one_is_sampled(made, how):
    model = VotingDecisionModel.wrap(made(Scripted(answers=["yes", "no"], calls=[])), sample_num=2)
    response = await ask(model, how, urgent=URGENT)
    assert response.nouls["urgent"].noul == 0.5
    assert response.usage["total_tokens"] == 6


async def test_all_samples_are_drawn_unless_a_stop_rule_says_otherwise():
    full, chat = votes(*["yes"] * 8)
    await ask(full, "async", urgent=URGENT)
    assert len(chat.calls) == 8
    stopped, _ = votes(*["yes"] * 7, "no", stop_rule="lossless")
    response = await ask(stopped, "async", urgent=URGENT)
    assert response.polls["urgent"].stopped == "decided"
    assert response.polls["urgent"].voted < 8


async def test_a_configuration_sets_the_number_of_samples():
    model, chat = votes("yes", sample_num=8, temperature=0.7)
    await ask(model.with_config(configurable={"sample_num": 3}), "async", urgent=URGENT)
    assert len(chat.calls) == 3
    assert chat.calls[0][1]["temperature"] == 0.7


@both_ways
async def test_a_vote_that_too_few_take_part_in_is_one_error_that_says_what_was_said(how):
    model, _ = votes("yes", "I would rather not say.", min_votes=2)
    with pytest.raises(
        InsufficientSamplesError, match="1 of 2 samples voted on the question 'urgent'.*rather not"
    ):
        await ask(model, how, urgent=URGENT)


@both_ways
async def test_samples_that_fail_cost_their_votes_alone_until_none_is_left(how):
    outcomes = iter(["fails", "yes", "no", "yes", *["fails"] * 4])

    def answer(messages):
        if (said := next(outcomes)) == "fails":
            raise RuntimeError("failed")
        return said

    model = VotingDecisionModel.wrap(RunnableLambda(answer), sample_num=4, max_concurrent_samples=1)
    poll = (await ask(model, how, urgent=URGENT)).polls["urgent"]
    assert (poll.voted, poll.failed) == (3, 1)
    with pytest.raises(InsufficientSamplesError, match="failed"):
        await ask(model, how, urgent=URGENT)


async def test_a_call_that_is_cancelled_cuts_its_samples():
    never = Never()
    model = VotingDecisionModel.wrap(RunnableLambda(_refused, afunc=never.ends), sample_num=2)
    await never.is_cut_with(ask(model, "async", urgent=URGENT, team=TEAM))


@both_ways
async def test_where_one_question_fails_the_others_are_cut_and_not_waited_for(how):
    never, begun, released, ended = Never(), threading.Event(), threading.Event(), threading.Event()

    def answer(messages):
        if "Who?" not in messages[1].text:
            assert begun.wait(60)
            raise ConnectionError("down")
        begun.set()
        released.wait(60)
        ended.set()

    async def aanswer(messages):
        if "Who?" not in messages[1].text:
            await never.begun.wait()
            raise ConnectionError("down")
        await never.ends(messages)

    model = VotingDecisionModel.wrap(RunnableLambda(answer, aanswer), sample_num=1)
    try:
        with pytest.raises(WorkerError, match="down"):
            await ask(model, how, urgent=URGENT, team=TEAM)
        assert not ended.is_set()
        if how == "async":
            await asyncio.wait_for(never.cut.wait(), 60)
    finally:
        released.set()


@pytest.mark.parametrize(
    ("questions", "problem"),
    [
        ({}, "no question"),
        ({"where": Box(instructions="Where?")}, "'where' asks for a box"),
        ({"team": {"type": "choice", "instructions": "Who?", "criteria": {}}}, "'team' is none of"),
        ({"team": Choice(instructions="Who?", criteria={"a": 1, "A": 2})}, "'team' cannot be voted on.*alike"),
    ],
)
async def test_a_question_that_cannot_be_voted_on_is_refused_in_one_sentence(questions, problem):
    model, chat = votes("yes")
    for how in ("sync", "async"):
        with pytest.raises(InvalidRequestError, match=problem):
            await ask(model, how, **questions)
    assert chat.calls == []


async def test_a_state_that_is_no_json_is_refused():
    model, _ = votes("yes")
    with pytest.raises(InvalidRequestError, match="this one has a bytes in it"):
        await ask(model, "async", {"file": b"x"}, urgent=URGENT)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "needs a chat model"),
        ({"inner": "gpt"}, "needs a chat model"),
        ({"inner": Scripted(answers=[]), "samples": 3}, "no field 'samples'"),
        ({"inner": Scripted(answers=[]), "sample_num": 0}, "sample_num"),
        ({"inner": Scripted(answers=[]), "sample_num": 2, "min_votes": 3}, "min_votes=3"),
        ({"inner": Scripted(answers=[]), "stop_rule": "never"}, "never"),
        ({"inner": Scripted(answers=[]), "max_concurrent_samples": 0}, "max_concurrent_samples"),
    ],
)
def test_fields_that_make_no_sense_are_refused_where_they_are_written(fields, problem):
    with pytest.raises(InvalidRequestError, match=problem):
        VotingDecisionModel(**fields)


def test_a_chat_model_may_be_given_as_the_model_and_lends_its_name():
    chat = Scripted(answers=["yes"])
    assert VotingDecisionModel(model=chat).model == "Scripted"
    assert VotingDecisionModel(model="mine", inner=chat).model == "mine"


WITHOUT_DECISIONS = """
import sys
sys.modules["langchain_core.decisions"] = None
from langchain_scaffolding import *
import langchain_scaffolding
for imports in ("from langchain_scaffolding import VotingDecisionModel", "import langchain_scaffolding.decisions"):
    try:
        exec(imports)
    except ImportError as error:
        assert "langchain-core 1.8" in str(error), error
    else:
        raise AssertionError(imports)
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
best = with_best_of_n(FakeListChatModel(responses=["a"]), RunnableLambda(lambda given: 1), n=2)
print(best.invoke("q").content)
"""


def test_with_an_older_langchain_core_the_names_say_what_they_need_and_all_else_runs():
    done = subprocess.run([sys.executable, "-c", WITHOUT_DECISIONS], capture_output=True, text=True, timeout=100)
    assert (done.stdout, done.stderr) == ("a\n", "")
