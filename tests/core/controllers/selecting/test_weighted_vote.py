"""Weighted vote, on simulated samples: what weighs, who votes, and when weights help."""

import asyncio
import math

import pytest

from scaffolding_core import (
    Answers,
    FunctionWorker,
    InvalidRequestError,
    NativeGenerationController,
    NativeRewardController,
    PairwiseJudge,
    Regex,
    ScaffoldingLlm,
    SimulatedWorker,
    WeightedVoteController,
)
from scaffolding_core.voting import Borda, PosteriorBallot

pytestmark = pytest.mark.looptime
REWARDS = {"7 a": 0.9, "8 a": 0.5, "8 b": 0.4, "8 c": 0.3, "no idea": 1.0}

FIRST = Answers.pair(Regex(r"^\d"), None)


async def voted(texts, **options):
    left = list(texts)
    worker = SimulatedWorker(lambda task, source: left.pop(0), reward=lambda text, source: REWARDS[text])
    method = WeightedVoteController(
        NativeGenerationController(), NativeRewardController(), len(texts), answers="number", **options
    )
    async with ScaffoldingLlm(method, {"generation": worker, "reward": worker}) as llm:
        return (await llm.generate_async("q")).output


@pytest.mark.parametrize(
    ("weighing", "answer", "weights"),
    [
        ("sum", "8", {"8": 1.2, "7": 0.9}),
        ("mean", "7", {"7": 0.9, "8": 0.4}),
        ("borda", "8", {"8": 1.5, "7": 1.0}),
        (Borda(3), "7", {"7": 1.0, "8": 0.421875 + 0.125 + 0.015625}),
        ("count", "8", {"8": 3, "7": 1}),
    ],
)
async def test_an_answer_weighs_what_its_weighing_says(weighing, answer, weights):
    output = await voted(["8 c", "7 a", "8 a", "8 b"], weighing=weighing)
    assert output.answer == answer
    assert output.data["weights"] == pytest.approx(weights)
    assert [*output.data["weights"]][0] == answer
    assert output.agreement == pytest.approx(weights[answer] / sum(weights.values()))


async def test_the_best_sample_of_the_answer_is_the_result():
    assert (await voted(["8 c", "7 a", "8 a", "8 b"])).text == "8 a"


async def test_a_share_with_the_highest_rewards_votes():
    output = await voted(["8 c", "7 a", "8 a", "8 b"], keep=0.25)
    assert (output.answer, output.votes) == ("7", {"7": 1})
    half = await voted(["8 c", "7 a", "8 a", "8 b"], keep=0.5, weighing="count")
    assert half.votes == {"7": 1, "8": 1}


async def test_where_none_has_an_answer_the_best_is_the_result():
    output = await voted(["no idea", "no idea"], keep=0.5)
    assert (output.text, output.answer, output.votes, output.agreement) == ("no idea", None, {}, 0)


@pytest.mark.parametrize("wrong", [{"keep": 0}, {"keep": 1.5}, {"keep": "half"}, {"weighing": "median"}])
def test_a_share_or_a_weighing_that_is_none_is_refused(wrong):
    with pytest.raises(InvalidRequestError):
        WeightedVoteController(NativeGenerationController(), NativeRewardController(), **wrong)


async def right(informative, weighing, questions=150, n=5):
    """The share of questions that a vote gets right, of a model that is right four times in ten."""

    def reward(text, source):
        low, high = ((0.5, 1) if text.startswith("7") else (0, 0.5)) if informative else (0, 1)
        return source.uniform(low, high)

    worker = SimulatedWorker(
        lambda task, source: f"{'7' if source.random() < 0.4 else '8'} by way {source.random()}",
        reward=reward,
        seed=1,
    )
    method = WeightedVoteController(
        NativeGenerationController(),
        NativeRewardController(),
        n,
        answers=Answers.pair(Regex(r"^\d"), None),
        weighing=weighing,
    )
    async with ScaffoldingLlm(method, {"generation": worker, "reward": worker}) as llm:
        results = await asyncio.gather(*(llm.generate_async(f"q{place}") for place in range(questions)))
    return sum(result.output.answer == "7" for result in results) / questions


async def test_weights_beat_a_plain_vote_exactly_where_rewards_inform():
    plain = sum(math.comb(5, k) * 0.4**k * 0.6 ** (5 - k) for k in (3, 4, 5))
    error = 4 * math.sqrt(0.25 / 150)
    assert await right(True, "count") == pytest.approx(plain, abs=error)
    assert await right(False, "sum") == pytest.approx(plain, abs=error)
    assert await right(True, "sum") > plain + 2 * error


# Until an answer is probably right.


async def test_it_ends_once_an_answer_is_probably_right():
    sure = await voted(["7 a", "7 a", "8 a", "8 b", "8 c"], confidence=0.95)
    assert (sure.answer, sure.votes, sure.stopped) == ("7", {"7": 2}, "decided")  # 0.9 twice: odds of 81 to 1
    unsure = await voted(["8 a", "8 b", "7 a", "8 c", "8 a"], confidence=0.95)
    assert (unsure.answer, unsure.stopped) == ("8", "complete")


async def test_the_same_words_are_scored_once_and_count_for_each():
    scored = []

    def reward(text, source):
        scored.append(text)
        return 0.7

    worker = SimulatedWorker({"7": 1}, reward=reward)
    method = WeightedVoteController(
        NativeGenerationController(), NativeRewardController(), 8, answers="number", confidence=0.9
    )
    async with ScaffoldingLlm(method, {"generation": worker, "reward": worker}) as llm:
        output = (await llm.generate_async("q")).output
    assert (scored, output.votes) == (["7"], {"7": 3})  # odds of 7/3 to the third: 12.7 to 1


async def test_a_reward_that_fails_for_one_costs_that_sample_alone():
    left = ["7 a", "no reward 8", "7 a", "7 a"]

    def reward(text, source):
        if text.startswith("no"):
            raise ValueError("lost")
        return 0.9

    worker = SimulatedWorker(lambda task, source: left.pop(0), reward=reward)
    method = WeightedVoteController(
        NativeGenerationController(), NativeRewardController(), 4, answers="number", confidence=0.95
    )
    async with ScaffoldingLlm(method, {"generation": worker, "reward": worker}) as llm:
        output = (await llm.generate_async("q")).output
    assert (output.answer, output.votes) == ("7", {"7": 2})


async def test_the_same_words_are_judged_again_where_judging_them_failed_and_count():
    asked = []

    async def reward(task):
        asked.append(task)
        await asyncio.sleep(5)
        if len(asked) == 1:
            raise ValueError("lost")
        return 0.9

    method = WeightedVoteController(
        NativeGenerationController(), NativeRewardController(), 2, answers="number", confidence=0.95
    )
    workers = {"generation": SimulatedWorker({"7": 1}), "reward": FunctionWorker(reward)}
    async with ScaffoldingLlm(method, workers) as llm:
        output = (await llm.generate_async("q")).output
    assert (output.votes, output.score) == ({"7": 1}, 0.9)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
async def test_where_rewards_are_chances_the_answer_is_right_as_often_as_promised(confidence):
    """Of a model whose answers are right with the chance that their reward says, or else all wrong alike."""

    def answer(task, source):
        chance = source.uniform(0.4, 0.9)
        return f"{'7' if source.random() < chance else '8'} by a chance of {chance}"

    worker = SimulatedWorker(answer, reward=lambda text, source: float(text.split()[-1]), seed=4)
    method = WeightedVoteController(
        NativeGenerationController(), NativeRewardController(), 30, answers=FIRST, confidence=confidence
    )
    async with ScaffoldingLlm(method, {"generation": worker, "reward": worker}) as llm:
        results = await asyncio.gather(*(llm.generate_async(f"q{place}") for place in range(100)))
    decided = [result.output for result in results if result.output.stopped == "decided"]
    right = sum(output.answer == "7" for output in decided) / len(decided)
    assert len(decided) > 90
    assert right >= confidence - 2 * math.sqrt(confidence * (1 - confidence) / len(decided))
    assert sum(len(output.candidates) for output in decided) / len(decided) < 15


@pytest.mark.parametrize("wrong", [{"confidence": 0.5}, {"confidence": 1}, {"confidence": 0.9, "keep": 0.5}])
def test_a_confidence_that_is_none_or_beside_a_share_is_refused(wrong):
    with pytest.raises(InvalidRequestError):
        WeightedVoteController(NativeGenerationController(), NativeRewardController(), **wrong)


def test_a_reward_that_compares_samples_has_to_see_them_all():
    with pytest.raises(InvalidRequestError, match="leave confidence out"):
        WeightedVoteController(NativeGenerationController(), PairwiseJudge(), confidence=0.9)


# The ballot.


def counted(votes, n=9, confidence=0.9, order=None):
    ballot = PosteriorBallot(n, confidence, lambda index: votes[index][1])
    for index in order or range(len(votes)):
        ballot.see(index, votes[index][0])
    return ballot


def test_odds_are_multiplied():
    ballot = counted([(7, 0.8), (7, 0.75), (8, 0.6)], confidence=0.99)
    assert ballot.probability == pytest.approx(12 / (12 + 1.5 + 1))
    assert not ballot.decided


def test_samples_count_in_their_order_however_they_end():
    votes = [(8, 0.6), (7, 0.9), (7, 0.9), (8, 0.99)]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        assert counted(votes, order=order).votes() == {0: 8, 1: 7, 2: 7}


def test_one_sample_never_settles_it_alone():
    assert not counted([(7, 1.0)], confidence=0.995).decided
    assert counted([(7, 1.0), (7, 1.0)], confidence=0.995).decided
    assert counted([(7, 0.0)]).probability == pytest.approx(0.01)


def test_a_score_that_is_not_known_yet_is_waited_for():
    scores = {0: None, 1: 0.9, 2: 0.9}
    ballot = PosteriorBallot(5, 0.95, scores.get)
    for index in (0, 1):
        ballot.see(index, 7)
    assert ballot.votes() == {}
    scores[0] = 0.9
    ballot.see(2, 7)
    assert (ballot.decided, ballot.votes()) == (True, {0: 7, 1: 7})


def test_as_many_run_ahead_as_would_settle_it():
    ballot = PosteriorBallot(16, 0.95, lambda index: 0.75)
    assert ballot.ahead == 5  # each as good as a throw of two to one
    ballot.see(0, 7)
    assert ballot.ahead == 2
    assert PosteriorBallot(3, 0.95, lambda index: 0.75).ahead == 3
