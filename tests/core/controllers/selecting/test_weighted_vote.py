"""Weighted vote, on simulated samples: what weighs, who votes, and when weights help."""

import asyncio
import math

import pytest

from scaffolding_core import (
    Answers,
    InvalidRequestError,
    NativeGenerationController,
    NativeRewardController,
    Regex,
    ScaffoldingLlm,
    SimulatedWorker,
    WeightedVoteController,
)
from scaffolding_core.voting import Borda

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


async def right(informative, weighing, questions=300, n=5):
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
    error = 4 * math.sqrt(0.25 / 300)
    assert await right(True, "count") == pytest.approx(plain, abs=error)
    assert await right(False, "sum") == pytest.approx(plain, abs=error)
    assert await right(True, "sum") > plain + 2 * error
