"""Best-of-N, and rewards."""

import asyncio

import pytest

from scaffolding_core import (
    BestOfNController,
    Budget,
    Controller,
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    NativeGenerationController,
    NativeRewardController,
    RewardTask,
    ScaffoldingLlm,
    WorkerError,
)
from scaffolding_core.workers.reward import reward_worker
from tests.core.controllers.sampling.test_majority_vote import Says

single, rewards = NativeGenerationController(), NativeRewardController()


async def best(answers, reward, delays=(), options=None, n=None, **method):
    worker = Says(answers, delays)
    controller = BestOfNController(single, rewards, n or len(answers), **method)
    workers = {"generation": worker, "reward": reward_worker(reward)}
    async with ScaffoldingLlm(controller, workers) as llm:
        return (await llm.generate_async("q", **(options or {}))).output, worker


def length(prompt, answer):
    return len(answer)


async def async_length(prompt, answer):
    await asyncio.sleep(0)
    return len(answer)


async def test_the_highest_reward_wins_and_ties_go_to_the_earliest():
    output, _ = await best(["a", "ccc", "bb", "ddd"], length)
    assert (output.text, output.score) == ("ccc", 3.0)
    assert [c.score for c in output.candidates] == [1.0, 3.0, 2.0, 3.0]


async def test_a_reward_may_be_an_async_function():
    output, _ = await best(["a", "ccc", "bb"], async_length)
    assert (output.text, output.score) == ("ccc", 3.0)


async def test_a_reward_sees_the_prompt_and_the_answer():
    seen = []
    await best(["a"], lambda prompt, answer: seen.append((prompt, answer)) or 1.0)
    assert seen == [("q", "a")]


async def test_each_sample_is_scored_as_soon_as_it_is_there():
    scored = asyncio.Event()

    def reward(task: RewardTask):
        scored.set()
        return 1.0

    class Waits(Says):
        async def run_task(self, task):
            if self.started:
                self.started += 1
                await scored.wait()
                task.output_str = "late"
                return
            await super().run_task(task)

    async def areward(task):
        return reward(task)

    workers = {"generation": Waits(["first"]), "reward": FunctionWorker(areward)}
    async with ScaffoldingLlm(BestOfNController(single, rewards, 2), workers) as llm:
        assert (await asyncio.wait_for(llm.generate_async("q").aresult(), 30)).output.samples == 2


@pytest.mark.looptime
async def test_enough_stops_and_cuts_the_rest():
    output, worker = await best(["a", "bb", "ccc"], async_length, delays=[0, 0, 30], enough=2)
    assert (output.text, output.stopped) == ("bb", "decided")
    assert worker.cut == 1


async def test_ahead_bounds_what_is_started_before_any_is_scored():
    _, worker = await best(["right"] * 8, lambda prompt, answer: 1.0, enough=1, ahead=2)
    assert worker.started == 2


async def test_a_sample_that_fails_or_cannot_be_scored_costs_that_sample_alone():
    def picky(prompt, answer):
        if answer == "bad":
            raise ValueError("unreadable")
        return len(answer)

    output, _ = await best(["bad", "!", "fine"], picky)
    assert output.text == "fine"
    assert [type(c.error) for c in output.candidates] == [WorkerError, WorkerError, type(None)]
    with pytest.raises(InsufficientSamplesError):
        await best(["bad", "!"], picky)


async def test_a_reward_that_is_no_number_is_an_error():
    with pytest.raises(InsufficientSamplesError, match="nan"):
        await best(["a"], lambda prompt, answer: float("nan"))


@pytest.mark.looptime
async def test_a_budget_that_ends_gives_the_best_so_far():
    output, _ = await best(
        ["a", "bb", "ccc"], async_length, delays=[0, 0, 30], options={"budget": Budget(seconds=0.05)}
    )
    assert (output.text, output.stopped) == ("bb", "budget")


async def test_sample_num_can_be_below_the_default():
    output, _ = await best(["a", "bb"], length, n=4, options={"sample_num": 2})
    assert output.samples == 2


async def test_a_reward_controller_of_ones_own_may_leave_its_scores_on_itself():
    class Vowels(Controller):
        def __init__(self):
            self.scores = None

        def process(self, tasks):
            self.scores = [sum(letter in "aeiou" for letter in tasks[0].output_str)]
            yield []

    async with ScaffoldingLlm(BestOfNController(single, Vowels(), 3), Says(["xyz", "aei", "ab"])) as llm:
        assert (await llm.generate_async("q")).text == "aei"


async def test_select_best_can_be_overridden():
    class Worst(BestOfNController):
        def select_best(self, tasks, rewards, **options):
            index = min(range(len(rewards)), key=rewards.__getitem__)
            return tasks[index], index

    workers = {"generation": Says(["a", "bb"]), "reward": reward_worker(length)}
    async with ScaffoldingLlm(Worst(single, rewards, 2), workers) as llm:
        assert (await llm.generate_async("q")).text == "a"


@pytest.mark.parametrize("wrong", [0, "2", None])
def test_a_sample_number_that_makes_no_sense_is_refused(wrong):
    if wrong is None:
        assert BestOfNController(single, rewards).default_sample_num == 4
        return
    with pytest.raises(InvalidRequestError):
        BestOfNController(single, rewards, wrong)


@pytest.mark.parametrize("wrong", ["1", True, float("nan")])
def test_an_enough_that_no_reward_could_reach_is_refused(wrong):
    with pytest.raises(InvalidRequestError, match="enough must be a finite number"):
        BestOfNController(single, rewards, enough=wrong)


@pytest.mark.parametrize("wrong", [0, -1, 1.5])
def test_a_number_of_samples_ahead_with_which_none_could_start_is_refused(wrong):
    with pytest.raises(InvalidRequestError, match="ahead must be"):
        BestOfNController(single, rewards, ahead=wrong)
