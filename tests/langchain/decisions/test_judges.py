"""Any decision model as reward and as equivalence, its cost counted once."""

import asyncio

import pytest
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.decisions import BaseDecisionModel, Choice, ClassifierResponse, Score
from langchain_core.runnables import RunnableLambda

from langchain_scaffolding import ScaffoldingRunnable, with_best_of_n, with_majority_vote
from langchain_scaffolding.decisions import SameByDecision, VotingDecisionModel, decision_reward
from scaffolding_core import InvalidRequestError
from scaffolding_core.answers import WholeText
from tests.langchain.decisions.known import Known
from tests.langchain.doubles import FULL, KnownChat, Runs, Scripted, named

both_ways = pytest.mark.parametrize("how", ["sync", "async"])
PROBABILITIES = {"a": 0.2, "ccc": 0.9, "bb": 0.5}


def judge(**fields):
    return Known(says=lambda state: PROBABILITIES[state["answer"]], asked=[], **fields)


async def answered(model, how, prompt="q", **config):
    if how == "sync":
        return await asyncio.to_thread(model.invoke, prompt, **config)
    return await model.ainvoke(prompt, **config)


@both_ways
@pytest.mark.parametrize(
    "reward",
    [
        judge,
        lambda: judge().with_retry(),
        lambda: judge().with_fallbacks([judge()]),
        lambda: decision_reward(judge(), "Is it long?"),
    ],
)
async def test_the_answer_that_a_decision_model_finds_most_probably_right_is_taken(reward, how):
    best = with_best_of_n(KnownChat(answers=[*PROBABILITIES]), reward(), n=3)
    message = await answered(best, how)
    assert message.text == "ccc"
    scores = {each["text"]: each["score"] for each in message.response_metadata["scaffolding"]["candidates"]}
    assert scores == PROBABILITIES
    assert message.usage_metadata["total_tokens"] == 3 * 3 + 3 * 5


async def test_the_decision_model_is_asked_about_prompt_and_answer_and_is_seen_beneath_each_reward():
    runs, known = Runs(), judge()
    chain = ScaffoldingRunnable.wrap(KnownChat(answers=[*PROBABILITIES]), "best_of_n", reward=known, sample_num=3)
    output = await chain.ainvoke("q", config={"callbacks": [runs]})
    assert sorted(state["answer"] for state, _ in known.asked) == ["a", "bb", "ccc"]
    assert {state["prompt"] for state, _ in known.asked} == {"q"}
    assert len(named(runs.tops[0], "Known")) == 3
    assert output.usage.total_tokens == 3 * 3 + 3 * 5


async def test_an_expected_level_is_a_reward_from_0_to_1():
    question = Score(instructions="How good?", criteria=["bad", "fair", "good", "great", "best"])
    known = Known(says=lambda state: len(state["answer"]))
    best = with_best_of_n(KnownChat(answers=["a", "ccc"]), decision_reward(known, question), n=2)
    message = await best.ainvoke("q")
    assert [each["score"] for each in message.response_metadata["scaffolding"]["candidates"]] == [0.25, 0.75]


@both_ways
async def test_a_vote_that_judges_is_paid_for_once(how):
    vote = VotingDecisionModel.wrap(Scripted(answers=["yes", "no"], calls=[]), sample_num=2)
    best = with_best_of_n(KnownChat(answers=["a", "bb"]), vote, n=2)
    with get_usage_metadata_callback() as paid:
        message = await answered(best, how)
    assert message.usage_metadata["total_tokens"] == 2 * 3 + 4 * 3
    assert sum(usage["total_tokens"] for usage in paid.usage_metadata.values()) == 2 * 3 + 4 * 3


class OnAChatModel(BaseDecisionModel):
    """Asks a chat model of LangChain, and tells what that told."""

    model: str = "on a chat model"
    chat: Scripted

    @property
    def _provider(self):
        return "tests"

    def _classify(self, state, questions):
        said = (RunnableLambda(lambda state: "?") | self.chat).invoke(state)
        answers = {name: {"type": "noul", "noul": 1.0} for name in questions}
        return ClassifierResponse(model=self.model, answers=answers, usage=said.usage_metadata)


@both_ways
@pytest.mark.parametrize(
    ("made", "tokens"),
    [
        (lambda: Known(says=lambda state: 1.0), 5),
        (lambda: OnAChatModel(chat=Scripted(answers=["yes"], calls=[])), 3),
        (lambda: VotingDecisionModel.wrap(Scripted(answers=["yes"], calls=[]), sample_num=2), 6),
    ],
)
async def test_a_decision_inside_a_sampled_chain_counts_once(made, tokens, how):
    request = {"state": "s", "questions": {"q": {"type": "noul", "instructions": "?"}}}
    chain = (
        RunnableLambda(lambda text: request) | (RunnableLambda(lambda given: given) | made()) | (lambda said: "a")
    )
    sampled = ScaffoldingRunnable.wrap(chain, sample_num=2, method_options=FULL)
    output = await answered(sampled, how)
    assert output.usage.total_tokens == 2 * tokens


@both_ways
async def test_answers_that_a_decision_model_finds_the_same_vote_together(how):
    known = Known(says=lambda state: float(state["first"][0] == state["second"][0]), asked=[])
    parts = {**FULL, "extractor": WholeText(), "equivalence": SameByDecision(known)}
    vote = with_majority_vote(KnownChat(answers=["no", "yes", "yep"]), n=3, **parts)
    message = await answered(vote, how)
    assert message.text == "yes"
    assert message.response_metadata["scaffolding"]["votes"] == {"yes": 2, "no": 1}
    assert len(known.asked) == 3
    assert message.usage_metadata["total_tokens"] == 3 * 3 + 3 * 5


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (lambda: decision_reward(RunnableLambda(len)), "must decide"),
        (lambda: SameByDecision(KnownChat(answers=[])), "must decide"),
        (lambda: decision_reward(judge(), Choice(instructions="?", criteria={"a": None})), "must be a number"),
    ],
)
def test_what_cannot_score_is_refused(made, problem):
    with pytest.raises(InvalidRequestError, match=problem):
        made()
