"""Runnables, functions and evaluators as judges: rewards, verifiers, extractors, equivalences.

Models and judges are doubles with known words. LangChain's old evaluators and openevals are not installed here:
small classes with the same methods and signatures stand for them.
"""

import asyncio
import pickle
import threading
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableLambda
from pydantic import BaseModel

from langchain_scaffolding import (
    ChatScaffolding,
    FromRunnable,
    SameByRunnable,
    ScaffoldingLLM,
    ScaffoldingRunnable,
    evaluator_reward,
    with_best_of_n,
    with_majority_vote,
)
from langchain_scaffolding.judging.rewards import core_reward
from scaffolding_core import CombinedReward, InsufficientSamplesError, InvalidRequestError, WorkerError
from scaffolding_core.answers import FirstOf, WholeText
from tests.langchain.doubles import FULL, KnownChat, Never, Runs, named

ANSWERS = ["a", "ccc", "bb"]


async def scores(reward, answers=ANSWERS, prompt="q"):
    """The score of each answer, by a blocking and by an async call."""
    for call in ("invoke", "ainvoke"):
        best = with_best_of_n(KnownChat(answers=answers), reward, n=len(answers))
        message = getattr(best, call)(prompt)
        message = await message if call == "ainvoke" else message
        candidates = message.response_metadata["scaffolding"]["candidates"]
        yield {candidate["text"]: candidate["score"] for candidate in candidates}


class Grade(BaseModel):
    why: str
    grade: int


# What may judge, and what it may say.


@pytest.mark.parametrize(
    "said",
    [
        lambda n: n,
        lambda n: str(n),
        lambda n: AIMessage(f" {n} "),
        lambda n: {"score": n},
        lambda n: [{"key": "length", "score": n, "comment": "long"}],
        lambda n: {"reasoning": "...", "value": "Y", "score": n},
        lambda n: Grade(why="long", grade=n),
        lambda n: {"length": n, "why": "long"},
        Decimal,
        lambda n: {"score": Fraction(n)},
    ],
)
async def test_a_runnable_may_say_its_score_in_any_usual_form(said):
    judge = RunnableLambda(lambda given: said(len(given["answer"])))
    async for by_text in scores(judge):
        assert by_text == {"a": 1, "ccc": 3, "bb": 2}


@pytest.mark.parametrize("yes_and_no", [(True, False), ("Yes.", "no"), (AIMessage("TRUE"), "False")])
async def test_a_verifier_says_yes_or_no_and_the_first_answer_that_passes_is_taken(yes_and_no):
    yes, no = yes_and_no
    verifier = RunnableLambda(lambda given: yes if given["answer"] == "ccc" else no)
    async for by_text in scores(verifier):
        assert by_text == {"a": 0, "ccc": 1, "bb": 0}
    inner = KnownChat(answers=[*ANSWERS, "d", "e"])
    message = await with_best_of_n(inner, verifier, n=50, enough=1, ahead=1).ainvoke("q")
    assert message.text == "ccc"
    assert len(inner.calls) == 2


async def test_a_function_may_be_async_and_runs_where_it_belongs():
    where = set()

    def blocking(prompt, answer):
        where.add(threading.get_ident())
        return len(answer)

    async def asynchronous(prompt, answer):
        where.add(asyncio.get_running_loop())
        return len(answer)

    for reward in (blocking, asynchronous):
        async for by_text in scores(reward):
            assert by_text == {"a": 1, "ccc": 3, "bb": 2}
    assert threading.get_ident() not in where
    assert asyncio.get_running_loop() in where


class LengthEvaluator:
    """As the string evaluators of `langchain_classic.evaluation`."""

    requires_input = False

    def evaluate_strings(self, *, prediction, reference=None, input=None, **kwargs):  # noqa: A002
        assert input is None
        assert threading.current_thread() is not threading.main_thread()
        return {"score": abs(len(prediction) - len(reference or ""))}

    async def aevaluate_strings(self, *, prediction, reference=None, input=None, **kwargs):  # noqa: A002
        assert input is None
        assert threading.current_thread() is threading.main_thread()
        return {"score": abs(len(prediction) - len(reference or ""))}


async def test_a_string_evaluator_is_a_reward_with_its_blocking_and_its_async_form():
    async for by_text in scores(LengthEvaluator()):
        assert by_text == {"a": 1, "ccc": 3, "bb": 2}
    async for by_text in scores(evaluator_reward(LengthEvaluator(), reference="ccc")):
        assert by_text == {"a": 2, "ccc": 0, "bb": 1}


async def test_a_string_evaluator_that_needs_the_input_gets_it():
    class Relevance:
        requires_input = True

        def evaluate_strings(self, *, prediction, input, **kwargs):  # noqa: A002
            return {"score": float(prediction in input)}

    async for by_text in scores(Relevance(), prompt="is it bb?"):
        assert by_text == {"a": 0, "ccc": 0, "bb": 1}


async def test_an_evaluator_in_openevals_shape_is_a_reward():
    def correctness(*, outputs, reference_outputs=None, **kwargs):
        assert kwargs == {"inputs": "q"}
        return {"key": "correctness", "score": outputs == reference_outputs, "comment": None}

    async def concise(*, inputs, outputs):
        return {"key": "concise", "score": -len(outputs)}

    async for by_text in scores(evaluator_reward(correctness, reference="bb")):
        assert by_text == {"a": 0, "ccc": 0, "bb": 1}
    async for by_text in scores(concise):
        assert by_text == {"a": -1, "ccc": -3, "bb": -2}


async def test_completion_models_and_chains_take_the_same_judges():
    chain = KnownChat(answers=ANSWERS) | StrOutputParser()
    judge = RunnableLambda(lambda given: len(given["answer"]))
    for kind in (ChatScaffolding, ScaffoldingLLM, ScaffoldingRunnable):
        model = kind.wrap(chain, "best_of_n", sample_num=3, reward=judge)
        for said in (model.invoke("q"), await model.ainvoke("q")):
            assert getattr(said, "text", said) == "ccc"


# What a judge that is a model costs, and who sees it.


def judging_model():
    model = KnownChat(answers=["1"])
    return model, ChatPromptTemplate.from_template("{prompt} {answer}") | model | StrOutputParser()


async def test_a_judges_usage_is_counted_once_and_its_tokens_do_not_leak():
    _, chain = judging_model()
    plain_model = KnownChat(answers=["1"])

    def by_function(prompt, answer):
        return plain_model.invoke(prompt).text

    async def by_async_function(prompt, answer):
        return (await plain_model.ainvoke(prompt)).text

    for judge in (chain, by_function, by_async_function):
        model = with_best_of_n(KnownChat(answers=ANSWERS), judge, n=3)
        whole = RunnableLambda(lambda q: q) | model
        for call in (whole.invoke, whole.ainvoke):
            usage = UsageMetadataCallbackHandler()
            message = call("q", {"callbacks": [usage]})
            message = await message if asyncio.iscoroutine(message) else message
            assert message.usage_metadata["total_tokens"] == 2 * 3 * 3  # samples and judgements
            assert [u["total_tokens"] for u in usage.usage_metadata.values()] == [18]
        events = [event async for event in whole.astream_events("q", version="v2")]
        assert "".join(e["data"]["chunk"].text for e in events if e["event"] == "on_chat_model_stream") == "a"


async def test_a_judge_shows_in_tracing_and_beneath_a_chains_sample_whole():
    _, chain = judging_model()
    runs = Runs()
    with_best_of_n(KnownChat(answers=ANSWERS), chain, n=3).invoke("q", {"callbacks": [runs]})
    rewards = named(runs.tops[0], "reward")
    assert [run.outputs["output"] for run in rewards] == [1] * 3
    assert [run.outputs["tokens"] for run in rewards] == [{"prompt": 2, "completion": 1}] * 3
    assert all(run.child_runs == [] for run in rewards)  # or its usage would count twice
    sampler = ScaffoldingRunnable.wrap(
        KnownChat(answers=ANSWERS) | StrOutputParser(), "best_of_n", sample_num=3, reward=chain
    )
    for call in (sampler.invoke, sampler.ainvoke):
        runs = Runs()
        output = call("q", {"callbacks": [runs]})
        output = await output if asyncio.iscoroutine(output) else output
        assert output.usage.total_tokens == 18
        rewards = named(runs.tops[0], "reward")
        assert [len(named(run, "KnownChat")) for run in rewards] == [1] * 3


# Wrong and hostile judges.


@pytest.mark.parametrize(
    "said",
    [
        None, "maybe", "", "nan", float("inf"), {}, {"score": None}, {"a": 1, "b": 2}, [1, 2], object(),
        AIMessage(""), {"score": {"score": "x"}}, 10**400, Decimal("NaN"),
    ],
)  # fmt: skip
async def test_a_score_that_is_none_costs_its_sample_alone(said):
    judge = RunnableLambda(lambda given: 1 if given["answer"] == "a" else said)
    async for by_text in scores(judge):
        assert by_text == {"a": 1, "ccc": None, "bb": None}
    with pytest.raises(InsufficientSamplesError, match="the judge gave no score but"):
        await with_best_of_n(KnownChat(answers=ANSWERS), RunnableLambda(lambda _: said), n=2).ainvoke("q")


def test_a_function_of_something_else_is_refused_before_any_sample():
    with pytest.raises(InvalidRequestError, match="called with prompt and answer, which len"):
        with_best_of_n(KnownChat(answers=ANSWERS), len, n=2).invoke("q")


async def test_a_judge_that_fails_costs_its_sample_alone():
    def judge(prompt, answer):
        if answer != "a":
            raise ZeroDivisionError("oops")
        return 1

    async for by_text in scores(judge):
        assert by_text == {"a": 1, "ccc": None, "bb": None}


def test_what_cannot_judge_is_refused():
    with pytest.raises(InvalidRequestError, match="a reward must be"):
        core_reward(7)
    with pytest.raises(InvalidRequestError, match="an evaluator must"):
        evaluator_reward(len)
    with pytest.raises(InvalidRequestError, match="FromRunnable needs a Runnable"):
        FromRunnable(len)
    with pytest.raises(InvalidRequestError, match="SameByRunnable needs a Runnable"):
        SameByRunnable(len)


# Extractors.


async def votes_of(answers, **options):
    """Votes and usage of a full vote, by a blocking and by an async call."""
    model = with_majority_vote(KnownChat(answers=answers), n=len(answers), **FULL, **options)
    for message in (model.invoke("q"), await model.ainvoke("q")):
        yield message.response_metadata["scaffolding"]["votes"], message.usage_metadata["total_tokens"]


async def test_a_runnable_finds_the_answer_and_a_sample_without_one_abstains():
    found = {"it is Rome": "Rome", "Paris!": AIMessage("Paris"), "I think Paris": {"city": "Paris"}, "hm": " "}
    extractor = FromRunnable(RunnableLambda(lambda given: found[given["answer"]]))
    async for votes, _ in votes_of(["it is Rome", "Paris!", "I think Paris", "hm"], extractor=extractor):
        assert votes == {"Rome": 1, "Paris": 1, "{'city': 'Paris'}": 1}


async def test_an_extractor_that_is_a_model_tells_its_usage_and_runs_where_it_belongs():
    reader = KnownChat(answers=["7"])
    extractor = FromRunnable(ChatPromptTemplate.from_template("What is said in {answer}?") | reader)
    async for votes, tokens in votes_of(["seven", "VII"], extractor=extractor):
        assert votes == {"7": 2}
        assert tokens == 2 * 3 + 2 * 3
    assert set(reader.threads[2:]) == {threading.get_ident()}  # those of the async call
    assert threading.get_ident() not in reader.threads[:2]
    runs = Runs()
    model = with_majority_vote(KnownChat(answers=["seven"]), n=2, extractor=extractor, **FULL)
    await model.ainvoke("q", {"callbacks": [runs]})
    assert [run.outputs["output"] for run in named(runs.tops[0], "answer")] == ["7", "7"]


async def test_an_extractor_stands_in_a_row_with_others():
    extractor = FirstOf(FromRunnable(RunnableLambda(lambda given: None)), WholeText())
    async for votes, _ in votes_of(["x", "x"], extractor=extractor):
        assert votes == {"x": 2}


async def test_an_extractor_deep_inside_others_tells_its_usage_too():
    reader = KnownChat(answers=["7"])
    deep = FirstOf(FromRunnable(ChatPromptTemplate.from_template("{answer}?") | reader), WholeText())
    async for votes, tokens in votes_of(["seven", "VII"], extractor=deep):
        assert votes == {"7": 2}
        assert tokens == 2 * 3 + 2 * 3


async def test_an_extractor_that_finds_nothing_is_a_filter():
    passes = RunnableLambda(lambda given: given["answer"] if given["answer"].isdigit() else None)
    async for votes, _ in votes_of(["seven", "VII", "7", "seven"], extractor=FromRunnable(passes)):
        assert votes == {"7": 1}


async def test_an_async_judge_alone_works_under_async_calls():
    async def find(given):
        await asyncio.sleep(0)
        return given["answer"].upper()

    async def same(pair):
        await asyncio.sleep(0)
        return pair["first"][0] == pair["second"][0]

    model = with_majority_vote(
        KnownChat(answers=["ab", "ac", "d"]),
        n=3,
        extractor=FromRunnable(RunnableLambda(find)),
        equivalence=SameByRunnable(RunnableLambda(same)),
        **FULL,
    )
    assert (await model.ainvoke("q")).response_metadata["scaffolding"]["votes"] == {"AB": 2, "D": 1}
    with pytest.raises(WorkerError, match="TypeError"):
        model.invoke("q")


async def test_cancelling_a_call_cancels_its_judge():
    never = Never()
    judge = RunnableLambda(never.ends)
    for model in (
        with_best_of_n(KnownChat(answers=["x"]), judge, n=1),
        with_majority_vote(KnownChat(answers=["x"]), n=2, extractor=FromRunnable(judge)),
        with_majority_vote(KnownChat(answers=["x", "y"]), n=2, equivalence=SameByRunnable(judge), **FULL),
    ):
        await never.is_cut_with(model.ainvoke("q"))


async def test_an_extractor_that_fails_is_one_typed_error():
    model = with_majority_vote(
        KnownChat(answers=["x"]), n=2, extractor=FromRunnable(RunnableLambda(lambda _: 1 / 0))
    )
    with pytest.raises(WorkerError, match="ZeroDivisionError"):
        model.invoke("q")
    with pytest.raises(WorkerError, match="ZeroDivisionError"):
        await model.ainvoke("q")


# Equivalences.


async def test_equality_is_transitive_whatever_the_judge_says():
    asked = []

    def near(pair):
        asked.append((pair["first"], pair["second"]))
        return abs(int(pair["first"]) - int(pair["second"])) <= 1

    same = SameByRunnable(RunnableLambda(near))
    classes = same.classes()
    assert [classes.assign(answer) for answer in ("1", "2", "3", "2", "1", "5")] == [0, 0, 1, 0, 0, 2]
    assert asked == [("1", "2"), ("1", "3"), ("1", "5"), ("3", "5")]
    async for votes, _ in votes_of(["1", "5", "2", "1"], equivalence=same):
        assert votes == {"1": 3, "5": 1}


async def test_a_judge_of_equality_that_is_a_model_tells_its_usage():
    judge = KnownChat(answers=["yes"])
    same = SameByRunnable(ChatPromptTemplate.from_template("{first} = {second}?") | judge)
    async for votes, tokens in votes_of(["six", "VI", "half a dozen"], equivalence=same):
        assert list(votes.values()) == [3]
        assert tokens == 3 * 3 + 2 * 3
    judge.answers = ["no"]
    async for votes, tokens in votes_of(["six", "seven", "eight"], equivalence=same):
        assert votes == {"six": 1, "seven": 1, "eight": 1}
        assert tokens == 3 * 3 + (0 + 1 + 2) * 3


async def test_equal_data_needs_no_judge():
    same = SameByRunnable(RunnableLambda(lambda _: 1 / 0))
    classes = same.classes()
    assert [classes.assign({"a": [1]}), classes.assign({"a": [1]})] == [0, 0]


@pytest.mark.parametrize("said", ["maybe", 7, None, {"a": 1, "b": 2}])
async def test_a_judge_of_equality_that_says_neither_is_one_typed_error(said):
    model = with_majority_vote(
        KnownChat(answers=["x", "y"]), n=2, equivalence=SameByRunnable(RunnableLambda(lambda _: said)), **FULL
    )
    with pytest.raises(WorkerError, match="the judge gave"):
        model.invoke("q")
    with pytest.raises(WorkerError, match="the judge gave"):
        await model.ainvoke("q")


def test_judges_pickle():
    _, judge = judging_model()
    model = with_best_of_n(KnownChat(answers=ANSWERS), judge, n=2)
    model.invoke("q")
    assert pickle.loads(pickle.dumps(model)).invoke("q").text in ANSWERS
    again = pickle.loads(pickle.dumps((FromRunnable(judge), SameByRunnable(judge))))
    assert isinstance(again[1], SameByRunnable)


async def test_a_judge_reads_a_chains_whole_result():
    chain = RunnableLambda(lambda _: {"answer": "7", "source": "s"})
    extractor = FromRunnable(RunnableLambda(itemgetter("result")) | itemgetter("source"))
    model = ScaffoldingRunnable.wrap(chain, text="answer", sample_num=1, method_options={"extractor": extractor})
    assert model.invoke("q").answer == "s"


# Rewards that the core knows by name, and its combinations with judges of LangChain's.

EXACT = {"kind": "exact", "reference": "bb"}


@pytest.mark.parametrize(
    ("reward", "expected"),
    [
        (EXACT, {"a": 0, "ccc": 0, "bb": 1}),
        ({"kind": "combined", "rewards": [EXACT, LengthEvaluator()]}, {"a": 0.5, "ccc": 1.5, "bb": 1.5}),
        (
            {
                "kind": "combined",
                "rewards": [EXACT, RunnableLambda(lambda given: len(given["answer"]))],
                "by": "minimum",
            },
            {"a": 0, "ccc": 0, "bb": 1},
        ),
        (CombinedReward([lambda prompt, answer: len(answer), EXACT], weights=[0, 1]), {"a": 0, "ccc": 0, "bb": 1}),
    ],
    ids=["named", "with an evaluator", "with a Runnable", "as an object"],
)
async def test_a_reward_may_be_said_by_name_and_combined_with_judges(reward, expected):
    async for by_text in scores(reward):
        assert by_text == expected


async def test_a_reward_by_name_may_come_by_configuration_and_of_a_role():
    model = ChatScaffolding.wrap(KnownChat(answers=ANSWERS), "best_of_n", sample_num=3, roles={"reward": EXACT})
    assert (await model.ainvoke("q")).text == "bb"
    chosen = model.model_copy(update={"roles": None, "reward": {"kind": "regex", "pattern": "^a"}})
    configured = chosen.configurable_fields(reward=ConfigurableField(id="r"))
    assert configured.invoke("q").text == "a"
    assert configured.invoke("q", {"configurable": {"r": EXACT}}).text == "bb"
    chain = ScaffoldingRunnable.wrap(RunnableLambda(lambda _: "bb"), "best_of_n", reward=EXACT, sample_num=2)
    assert chain.invoke("q").score == 1.0


def test_a_reward_that_nobody_knows_is_refused_when_the_model_is_made():
    with pytest.raises(InvalidRequestError, match="no reward is named 'jury'; there are: judge, "):
        with_best_of_n(KnownChat(answers=ANSWERS), "jury")
