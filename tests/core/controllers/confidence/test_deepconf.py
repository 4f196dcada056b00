"""DeepConf, on simulated samples: who votes, who is cut and when, and what that saves."""

import asyncio
import math

import pytest

from scaffolding_core import (
    Answers,
    Budget,
    Capabilities,
    ChainOfThoughtController,
    DeepConfOfflineController,
    DeepConfOnlineController,
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    Regex,
    ScaffoldingLlm,
    SimulatedWorker,
    StepBackController,
    WorkerError,
)
from scaffolding_core.confidence import VOTE_POLICIES, ConfidenceBallot

pytestmark = pytest.mark.looptime
single = NativeGenerationController()
NONE = Answers.pair(Regex("no number"), None)
PROBABILITY = {"6": 0.2, "7": 0.99, "8": 0.5, "9": 0.5}


def by_answer(text, source):
    return math.log(PROBABILITY[text.split()[-1]])


def saying(*answers, **given):
    left = list(answers)
    options = {"tokens": 40, "logprob": by_answer, **given}
    return SimulatedWorker(lambda task, source: f"so it is {left.pop(0)}", **options)


async def chosen(method, worker, **options):
    async with ScaffoldingLlm(method, worker) as llm:
        return (await llm.generate_async("q", **options)).output


# Offline.


@pytest.mark.parametrize("policy", VOTE_POLICIES)
async def test_each_policy_lets_samples_vote_in_its_way(policy):
    method = DeepConfOfflineController(single, 4, policy=policy, group_size=8, num_logprobs=4, answers="number")
    output = await chosen(method, saying("8", "7", "8", "8"))
    filtered = policy.startswith("top10")
    assert output.answer == ("7" if filtered or (policy != "majority" and _outweighs()) else "8")
    assert sum(output.votes.values()) == (1 if filtered else 4)


def _outweighs():
    """Whether one that is sure weighs more than three that are not."""

    def confidence(p):
        return -(math.log(p) + 3 * math.log((1 - p) / 3)) / 4

    return confidence(0.99) > 3 * confidence(0.5)


async def test_a_filter_keeps_the_most_confident():
    method = DeepConfOfflineController(single, 4, keep=0.5, group_size=8, num_logprobs=4, answers="number")
    output = await chosen(method, saying("8", "7", "7", "8"))
    assert (output.answer, output.votes) == ("7", {"7": 2})


@pytest.mark.parametrize("wrong", [{"policy": "best"}, {"group_size": 0}, {"keep": 0}, {"num_logprobs": 0}])
def test_offline_refuses_what_is_out_of_range(wrong):
    with pytest.raises(InvalidRequestError):
        DeepConfOfflineController(single, **wrong)


# Online.


def online(n, **options):
    given = {"warm_up": 2, "keep": 1.0, "group_size": 8, "step": 4, "num_logprobs": 4, "answers": "number"}
    return DeepConfOnlineController(options.pop("generation", single), n, **{**given, **options})


async def test_a_sample_is_cut_within_a_step_of_falling_below_the_warm_up():
    worker = saying("7", "9", "6", "7", seconds_per_token=1)
    output = await chosen(online(4, consensus=1.0, ahead=2), worker)
    cut = [candidate for candidate in output.candidates if candidate.message.finish_reason == "cancelled"]
    assert [candidate.index for candidate in cut] == [2]
    assert 8 <= cut[0].usage.completion_tokens <= 12  # its first group, and a step at most
    assert (output.answer, output.votes, output.data["cut"]) == ("7", {"7": 2, "9": 1}, 1)
    assert cut[0].answer is None


async def test_nobody_is_cut_in_the_warm_up_and_who_is_below_the_threshold_has_no_vote():
    output = await chosen(online(3, warm_up=3, keep=0.3), saying("8", "8", "7"))
    assert [candidate.usage.completion_tokens for candidate in output.candidates] == [40, 40, 40]
    assert (output.answer, output.votes) == ("7", {"7": 1})


async def test_a_consensus_ends_it():
    output = await chosen(online(50), saying(*["7"] * 50))
    assert (output.answer, output.stopped, len(output.candidates)) == ("7", "decided", 2)
    assert output.data["weights"] == {"7": pytest.approx(output.candidates[0].score * 2)}


async def test_without_a_consensus_all_samples_run():
    output = await chosen(online(6, consensus=1.0), saying("7", "9", "7", "7", "7", "9"))
    assert (output.answer, output.stopped, len(output.candidates)) == ("7", "complete", 6)


async def test_later_samples_start_when_the_warm_up_has_ended():
    started = []

    def answer(task, source):
        started.append(asyncio.get_running_loop().time())
        return "7"

    worker = SimulatedWorker(answer, tokens=40, logprob=-0.5, seconds_per_token=1)
    began = asyncio.get_running_loop().time()
    await chosen(online(5, warm_up=3, consensus=1.0, answers="text"), worker)
    assert [round(when - began) for when in started] == [0, 0, 0]
    left = iter("abcde")
    worker.answers = lambda task, source: answer(task, source) and next(left)
    started.clear()
    began = asyncio.get_running_loop().time()
    await chosen(online(5, warm_up=3, consensus=1.0, answers="text"), worker)
    assert [round(when - began) for when in started] == [0, 0, 0, 40, 40]


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
async def test_it_keeps_the_share_that_it_promises(keep):
    """Over many questions, as many later samples are kept as samples of the warm-up are to be."""

    def answer(task, source):
        return f"{source.random()} 7"

    def logprob(text, source):
        return math.log(0.5 + float(text.split()[0]) / 2)  # as sure as its number says, all along

    method = online(40, warm_up=20, keep=keep, consensus=1.0, step=8, answers=NONE)
    worker = SimulatedWorker(answer, tokens=16, logprob=logprob, seed=5)
    async with ScaffoldingLlm(method, worker) as llm:
        results = await asyncio.gather(*(llm.generate_async(f"q{place}") for place in range(20)))
    later = [each for result in results for each in result.output.candidates if each.index >= 20]
    kept = sum(each.message.finish_reason == "stop" for each in later) / len(later)
    assert len(later) == 400
    assert kept == pytest.approx(keep, abs=0.1)


async def test_it_saves_tokens_where_the_unsure_are_wrong_and_is_right_more_often():
    def answer(task, source):
        return f"thinking it over we get {'7' if source.random() < 0.45 else '8'}"

    worker = SimulatedWorker(answer, tokens=32, logprob=by_answer, seed=2)
    full = MajorityVoteController(single, 24, answers="number", stop_rule="full")
    methods = (online(24, warm_up=8, keep=0.4, consensus=0.95), full)
    right, tokens = [], []
    for method in methods:
        async with ScaffoldingLlm(method, worker) as llm:
            results = await asyncio.gather(*(llm.generate_async(f"q{place}") for place in range(40)))
        right.append(sum(result.output.answer == "7" for result in results))
        tokens.append(sum(result.usage.completion_tokens for result in results))
    assert right[0] > right[1] + 8
    assert tokens[0] < 0.6 * tokens[1]


async def test_a_chat_is_read_as_it_is_written_and_keeps_what_a_method_asks():
    asked = []

    def answer(task, source):
        asked.append((task.messages[-1].text, task.num_logprobs))
        return "\\boxed{7}"

    method = online(3, generation=ChainOfThoughtController(NativeChatController(), instruction="Think."))
    output = await chosen(method, SimulatedWorker(answer, tokens=20, logprob=-0.5))
    assert output.answer == "7"
    assert asked[0] == ("q\n\nThink.", 4)


async def test_time_that_is_up_leaves_what_is_there():
    worker = saying("7", "7", "8", "8", seconds_per_token=1)
    output = await chosen(online(4, keep=0.01), worker, budget=Budget(seconds=50))
    assert (output.answer, output.stopped) == ("7", "decided")
    late = await chosen(
        online(4, consensus=1.0), saying("7", "8", "7", "8", seconds_per_token=1), budget=Budget(seconds=50)
    )
    assert (late.answer, late.stopped) == ("7", "budget")


async def test_a_backend_that_tells_no_log_probabilities_is_named():
    class Mute(SimulatedWorker):
        async def run_task(self, task):
            await super().run_task(task)
            task.said.logprobs = None

    with pytest.raises(InsufficientSamplesError, match="must tell log probabilities") as failed:
        await chosen(online(2), Mute({"7": 1}))
    assert isinstance(failed.value.failures[0], WorkerError)


async def test_a_worker_that_writes_in_no_steps_is_refused():
    with pytest.raises(InvalidRequestError, match="needs logprobs and streaming"):
        ScaffoldingLlm(online(2), FunctionWorker(str, capabilities=Capabilities(tools=True)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"warm_up": 0},
        {"keep": 0},
        {"consensus": 1.1},
        {"group_size": 0},
        {"step": 0},
        {"ahead": 0},
        {"num_logprobs": 0},
    ],
)
def test_online_refuses_what_is_out_of_range(wrong):
    with pytest.raises(InvalidRequestError):
        online(4, **wrong)


async def test_each_generation_of_a_method_of_several_is_looked_at():
    method = online(2, generation=StepBackController(single, answers="number"))
    output = await chosen(method, SimulatedWorker({"we get 7": 1}, tokens=20, logprob=-0.5))
    assert (output.answer, output.usage.calls) == ("7", 4)


# The ballot.


def test_samples_are_weighed_in_their_order_however_they_end():
    def ballot():
        return ConfidenceBallot(9, warm_up=2, keep=1.0, consensus=0.7, ahead=3)

    votes = [(0, 1.0, 7), (1, 1.0, 8), (2, 3.0, 7), (3, 9.0, 8)]
    for order in ((0, 1, 2, 3), (1, 0, 3, 2)):
        counted = ballot()
        for place in order:
            index, lowest, choice = votes[place]
            counted.confide(index, lowest)
            counted.see(index, choice)
        assert (counted.decided, counted.votes()) == (True, {0: 7, 1: 8, 2: 7})


def test_all_that_are_there_count_once_time_is_up():
    ballot = ConfidenceBallot(9, warm_up=4, keep=1.0, consensus=0.7, ahead=3)
    ballot.confide(2, 1.0)
    ballot.see(2, 7)
    assert (ballot.votes(), ballot.ahead, ballot.threshold) == ({}, 3, None)
    ballot.count_all()
    assert ballot.votes() == {2: 7}
