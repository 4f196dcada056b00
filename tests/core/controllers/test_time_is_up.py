"""Time that is up while answers are read, compared or scored: each method ends with what is there."""

import asyncio
import math
import subprocess
import sys
import threading

import pytest

from scaffolding_core import (
    BestOfNController,
    Budget,
    BudgetExceededError,
    ChainOfThoughtController,
    FieldVoteController,
    FromFunction,
    FunctionWorker,
    MajorityVoteController,
    NativeGenerationController,
    NativeRewardController,
    ScaffoldingLlm,
)
from scaffolding_core.answers import Classes, Equivalence, Extractor, Normalised, Structure
from scaffolding_core.controllers.refining.retry_with_feedback import RetryWithFeedbackController
from scaffolding_core.tasks import ComputeTask
from scaffolding_core.workers.reward import reward_worker
from tests.core.controllers.sampling.test_majority_vote import Says
from tests.eventually import until

single, rewards = NativeGenerationController(), NativeRewardController()


class Blocking:
    """Blocks where it meets a text with "slow" in it, until the test is over."""

    def __init__(self):
        self.met, self.over = threading.Event(), threading.Event()
        self.read = 0

    def on(self, text):
        if "slow" in str(text):
            self.met.set()
            self.over.wait()
        self.read += 1
        return text

    @property
    def extractor(self):
        return FromFunction(self.on, costly=True)

    @property
    def equivalence(self):
        return Blocks(self)

    def reward(self, prompt, answer):
        return float(len(self.on(answer)))


class Blocks(Equivalence):
    """`Normalised`, but for what blocks."""

    def __init__(self, blocking):
        self.blocking = blocking

    def classes(self):
        return BlockingClasses(self.blocking)


class BlockingClasses(Classes):
    costly = True

    def __init__(self, blocking):
        self.blocking, self.plain = blocking, Normalised().classes()

    def assign(self, answer):
        return self.plain.assign(self.blocking.on(answer))


class Asks(Extractor):
    """Asks somebody who never answers."""

    costly = True

    def __init__(self, blocking):
        self.blocking = blocking

    def extract(self, message):
        raise AssertionError("it makes tasks")

    def as_task(self, message):
        async def ask():
            if "slow" in message.text:
                self.blocking.met.set()
                await asyncio.get_running_loop().create_future()
            return message.text

        return ComputeTask(function=ask)


@pytest.fixture
def blocking():
    blocking = Blocking()
    yield blocking
    blocking.over.set()


async def output_of(method, answers, blocking, worker=None):
    """What a method returns if time is up when it meets what blocks."""
    workers = {"generation": worker or Says(answers), "reward": reward_worker(blocking.reward)}
    async with ScaffoldingLlm(method, workers) as llm:
        result = llm.generate_async("q")
        await until(blocking.met.is_set)
        for driver in llm._drivers.values():
            for request in driver.requests:
                request.expire("seconds")
        return (await result).output


def texts(output):
    return [candidate.text for candidate in output.candidates]


PARTS = {
    "extractor": lambda blocking: {"extractor": blocking.extractor},
    "equivalence": lambda blocking: {"extractor": FromFunction(str), "equivalence": blocking.equivalence},
    "judge": lambda blocking: {"extractor": Asks(blocking)},
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
async def test_a_vote_ends_with_the_answers_compared_so_far(blocking, parts):
    method = MajorityVoteController(single, 6, stop_rule="full", **parts(blocking))
    output = await output_of(method, ["7", "8", "8", "slow", "7", "7"], blocking)
    assert (output.text, output.answer, output.stopped) == ("8", "8", "budget")
    assert output.votes == {"7": 1, "8": 2}
    assert output.agreement == pytest.approx(2 / 3)
    assert texts(output) == ["7", "8", "8", "slow", "7", "7"]
    assert not any(candidate.error for candidate in output.candidates)


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
async def test_with_nothing_compared_it_gives_the_earliest_sample(blocking, parts):
    method = MajorityVoteController(single, 3, stop_rule="full", **parts(blocking))
    output = await output_of(method, ["a slow one", "7", "7"], blocking)
    assert (output.text, output.stopped, output.agreement) == ("a slow one", "budget", 0)
    assert texts(output) == ["a slow one", "7", "7"]


async def test_hundreds_of_samples_that_are_not_compared_any_more_are_no_reason_to_fail(blocking):
    method = MajorityVoteController(single, 300, extractor=blocking.extractor, stop_rule="full")
    output = await output_of(method, ["7", "slow", *["8"] * 298], blocking)
    assert (output.answer, output.stopped, output.samples) == ("7", "budget", 300)


async def test_a_vote_that_is_not_complete_is_not_called_decided(blocking):
    method = MajorityVoteController(single, 5, extractor=blocking.extractor)
    output = await output_of(method, ["7", "7", "slow", "8", "8"], blocking)
    assert (output.answer, output.stopped, output.samples) == ("7", "budget", 5)


async def test_a_vote_of_one_gives_its_sample_without_an_answer(blocking):
    method = MajorityVoteController(single, 1, extractor=blocking.extractor)
    output = await output_of(method, ["slow"], blocking)
    assert (output.text, output.answer, output.stopped) == ("slow", None, "budget")


async def test_a_vote_of_ones_own_gives_the_earliest_sample(blocking):
    class Own(MajorityVoteController):
        def majority_vote(self, candidates_tasks, **options):
            blocking.on("slow")

    output = await output_of(Own(single, 2), ["7", "8"], blocking)
    assert (output.text, output.stopped) == ("7", "budget")


async def test_a_vote_on_fields_ends_with_the_structures_compared_so_far(blocking):
    structures = ['{"a": 1}', '{"a": 2}', '{"a": 2}', '{"a": "slow"}', '{"a": 1}', '{"a": 1}']
    for parts in ({"equivalences": {"a": blocking.equivalence}}, {"extractor": Slowly(blocking)}):
        blocking.met.clear()
        output = await output_of(FieldVoteController(single, 6, stop_rule="full", **parts), structures, blocking)
        assert (output.answer, output.stopped) == ({"a": 2}, "budget")
        assert texts(output) == structures


class Slowly(Structure):
    """Reads structures, but for what blocks."""

    costly = True

    def __init__(self, blocking):
        super().__init__()
        self.blocking = blocking

    def extract(self, message):
        self.blocking.on(message.text)
        return super().extract(message)


async def test_the_best_of_those_scored_so_far_is_given(blocking):
    output = await output_of(
        BestOfNController(single, rewards, 3, ahead=1), ["a", "bb", "slow, and long"], blocking
    )
    assert (output.text, output.score, output.stopped) == ("bb", 2, "budget")
    assert texts(output) == ["a", "bb", "slow, and long"]  # that is there, too


async def test_with_none_scored_the_earliest_is_given(blocking):
    output = await output_of(BestOfNController(single, rewards, 2), ["slow", "slow, too"], blocking)
    assert (output.text, output.score, output.stopped) == ("slow", None, "budget")


async def test_the_best_is_given_although_its_support_is_not_known(blocking):
    method = BestOfNController(single, rewards, 3, ahead=1, answers=(blocking.extractor, None))
    scores = iter([1.0, 3.0, 2.0])
    workers = {
        "generation": Says(["7", "slow", "7"]),
        "reward": reward_worker(lambda prompt, answer: next(scores)),
    }
    async with ScaffoldingLlm(method, workers) as llm:
        result = llm.generate_async("q")
        await until(blocking.met.is_set)
        for driver in llm._drivers.values():
            for request in driver.requests:
                request.expire("deadline")
        output = (await result).output
    assert (output.text, output.score, output.stopped) == ("slow", 3, "budget")
    assert output.votes == {"7": 1}


class FirstIsLast(Says):
    """Its first sample ends when all others have been read."""

    def __init__(self, answers, blocking):
        super().__init__(answers)
        self.blocking = blocking

    async def run_task(self, task):
        if not self.started:
            await super().run_task(task)
            await until(lambda: self.blocking.read == len(self.answers) - 1)
        else:
            await super().run_task(task)


@pytest.mark.parametrize("kind", ["whole", "fields"])
async def test_all_that_is_there_counts_though_a_statistical_rule_would_have_stopped(blocking, kind):
    """The rule sees nothing before the first sample, and then stops at the fifth."""
    answers = ["slow", *['{"a": 1}'] * 4, *['{"a": 2}'] * 2]
    vote, extractor = {
        "whole": (MajorityVoteController, blocking.extractor),
        "fields": (FieldVoteController, Slowly(blocking)),
    }[kind]
    method = vote(single, len(answers), stop_rule="beta", run_ahead=math.inf, extractor=extractor)
    output = await output_of(method, answers, blocking, FirstIsLast(answers, blocking))
    assert output.stopped == "budget"
    assert output.agreement == pytest.approx(4 / 6)


async def test_an_attempt_that_is_not_judged_any_more_is_given(blocking):
    output = await output_of(RetryWithFeedbackController(single, rewards, passing=99), ["slow"], blocking)
    assert (output.text, output.score, output.stopped) == ("slow", None, "budget")


async def test_a_chain_of_thought_is_given_without_its_answer(blocking):
    method = ChainOfThoughtController(single, extractor=blocking.extractor)
    output = await output_of(method, ["slow"], blocking)
    assert (output.text, output.answer, output.stopped) == ("slow", None, "budget")


async def test_a_vote_over_methods_that_time_ended_gives_what_they_have(blocking):
    inner = ChainOfThoughtController(single, extractor=blocking.extractor)
    output = await output_of(MajorityVoteController(inner, 3, stop_rule="full"), ["7", "slow", "7"], blocking)
    assert (output.answer, output.stopped) == ("7", "budget")


async def test_without_any_sample_the_end_of_the_budget_is_told():
    method = MajorityVoteController(single, 2, extractor=FromFunction(str, costly=True))
    async with ScaffoldingLlm(method, FunctionWorker(lambda task: asyncio.sleep(60))) as llm:
        with pytest.raises(BudgetExceededError):
            await llm.generate_async("q", budget=Budget(seconds=0.05))


PROGRAM = r"""
import asyncio
from scaffolding_core import *

async def main():
    method = MajorityVoteController(
        NativeGenerationController(), 16, extractor=Regex("(a+)+$", timeout=60), stop_rule="full"
    )
    llm = ScaffoldingLlm(method, FunctionWorker(lambda task: "a" * 40 + "b"))
    output = (await llm.generate_async("q", budget=Budget(seconds=0.5))).output
    print(output.stopped, len(output.candidates))

asyncio.run(main())
"""


def test_hostile_answers_hold_up_neither_the_request_nor_the_program():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["budget", "16"]
    assert done.returncode == 0
