"""SimulatedWorker: what is drawn has the distributions that were given, and what it costs is told."""

import asyncio
import math
import random
from collections import Counter

import pytest

from scaffolding_core import (
    Budget,
    ChatTask,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    RewardTask,
    ScaffoldingLlm,
    SimulatedWorker,
    StreamGenerationTask,
    TokenEvent,
    UnsupportedTaskError,
    UserMessage,
)
from scaffolding_core.messages import AssistantMessage

pytestmark = pytest.mark.looptime


async def ran(worker, task=None):
    task = task or GenerationTask(input_str="q")
    await worker.run_task(task)
    return task


def within_four_errors(hits, n, p):
    return abs(hits - n * p) <= 4 * math.sqrt(n * p * (1 - p))


async def test_answers_are_as_frequent_as_their_weights_say():
    worker = SimulatedWorker({"right": 3, "wrong": 1, "never": 0})
    said = Counter([(await ran(worker)).output_str for _ in range(2_000)])
    assert within_four_errors(said["right"], 2_000, 0.75)
    assert said["right"] + said["wrong"] == 2_000


async def test_the_same_seed_draws_the_same_and_another_another():
    async def drawn(worker_seed, task_seed):
        worker = SimulatedWorker({"a": 1, "b": 1}, seed=worker_seed)
        return [(await ran(worker, GenerationTask(input_str="q", seed=task_seed))).output_str for _ in range(20)]

    assert await drawn(1, None) == await drawn(1, None)
    assert await drawn(1, None) != await drawn(2, None)
    assert len(set(await drawn(1, 7))) == 1  # a task's own seed says all


async def test_a_function_draws_what_a_prompt_calls_for():
    def answer(task, source):
        return f"{task.messages[-1].text}: {source.choice('ab')}"

    task = await ran(SimulatedWorker(answer), ChatTask(messages=[UserMessage("which")]))
    assert task.output_str in ("which: a", "which: b")


async def test_time_and_tokens_are_those_of_its_length():
    worker = SimulatedWorker({"one two three": 1}, tokens=10, seconds_per_token=2)
    began = asyncio.get_running_loop().time()
    task = await ran(worker, GenerationTask(input_str="how many words"))
    assert asyncio.get_running_loop().time() - began == 20
    assert (task.usage.prompt_tokens, task.usage.completion_tokens, task.usage.reasoning_tokens) == (3, 10, 7)
    assert (task.output_str, task.finish_reason) == ("one two three", "stop")


async def test_max_tokens_and_stop_end_an_answer():
    worker = SimulatedWorker({"one two. three": 1})
    short = await ran(worker, GenerationTask(input_str="q", max_tokens=1))
    assert (short.output_str, short.finish_reason, short.usage.completion_tokens) == ("one", "length", 1)
    stopped = await ran(worker, GenerationTask(input_str="q", stop=["!", "."]))
    assert (stopped.output_str, stopped.finish_reason) == ("one two", "stop")
    assert stopped.customized_result_fields == {"stop_reason": "."}
    whole = await ran(worker, GenerationTask(input_str="q", stop="?"))
    assert whole.customized_result_fields == {"stop_reason": None}


async def test_an_answer_that_is_begun_goes_on_as_one_that_begins_so():
    worker = SimulatedWorker({"so it is 7": 1, "no idea": 9})
    for prefix, rest in (("so it", {" is 7"}), ("else", {"so it is 7", "no idea"})):
        said = {(await ran(worker, GenerationTask(input_str="q").continued(prefix))).output_str for _ in range(60)}
        assert said == rest


async def test_log_probabilities_are_told_where_they_are_asked_for_and_add_up():
    worker = SimulatedWorker({"a b": 1}, logprob=lambda text, source: math.log(source.uniform(0.5, 1)))
    assert (await ran(worker)).logprobs is None
    for token in (await ran(worker, GenerationTask(input_str="q", num_logprobs=4))).logprobs:
        assert token.top[0] == (token.token, token.logprob)
        assert sum(math.exp(logprob) for _, logprob in token.top) == pytest.approx(1)
    sure = await ran(SimulatedWorker({"a": 1}, logprob=0.0), GenerationTask(input_str="q", num_logprobs=2))
    assert sure.logprobs[0].top == (("a", 0.0), ("a~0", -100.0))


async def test_a_reward_is_drawn_by_the_text_and_the_same_for_the_same():
    worker = SimulatedWorker({"a": 1}, reward=lambda text, source: len(text) + source.random())
    scores = [
        (await ran(worker, RewardTask(input_str="q", response=AssistantMessage(text)))).reward
        for text in ("aa", "aa", "aaa")
    ]
    assert scores[0] == scores[1]
    assert 2 <= scores[0] < 3 <= scores[2] < 4


async def test_without_a_reward_it_scores_nothing():
    with pytest.raises(UnsupportedTaskError, match="give it a reward"):
        await ran(SimulatedWorker({"a": 1}), RewardTask(input_str="q"))


async def test_it_is_read_in_steps_and_each_step_is_paid_as_it_comes():
    worker = SimulatedWorker({"a b c": 1}, seconds_per_token=1)
    task = StreamGenerationTask(input_str="q", streaming_step=2, num_logprobs=1)
    await worker.run_task(task)
    assert (task.output_str, task.end_flag, len(task.logprobs)) == ("a b", False, 2)
    await worker.run_task(task)
    assert (task.output_str, task.end_flag, task.finish_reason) == ("a b c", True, "stop")
    assert task.usage.completion_tokens == 3


async def test_a_stream_that_is_cut_ends():
    task = StreamGenerationTask(input_str="q", streaming_step=1)
    worker = SimulatedWorker({"a b c": 1})
    await worker.run_task(task)
    task.cancel_flag = True
    await worker.run_task(task)
    assert (task.output_str, task.end_flag, task.finish_reason) == ("a", True, "cancelled")


async def test_whoever_listens_hears_it_word_by_word():
    async with ScaffoldingLlm(NativeGenerationController(), SimulatedWorker({"a b": 1}, tokens=3)) as llm:
        events = [event async for event in llm.stream("q")]
    assert [event.text for event in events if isinstance(event, TokenEvent) and event.text] == ["a", " b"]


async def test_what_is_cut_has_paid_for_its_time():
    worker = SimulatedWorker({"7 7 7 7": 0.5, "8 8 8 8": 0.5}, tokens=100, seconds_per_token=1)
    method = MajorityVoteController(NativeGenerationController(), 4)
    async with ScaffoldingLlm(method, worker) as llm:
        with pytest.raises(Exception, match="budget"):
            await llm.generate_async("q", budget=Budget(seconds=10))
        cut = llm.generate_async("q")
        await asyncio.sleep(10.5)
        cut.cancel()
        with pytest.raises(Exception, match="cancel"):
            await cut
    assert cut.usage.completion_tokens == 40


@pytest.mark.parametrize("share", [0.5, 0.6, 0.8])
async def test_a_vote_is_right_as_often_as_the_binomial_says(share):
    n, questions = 5, 400
    expected = sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(3, n + 1))
    worker = SimulatedWorker({"7": share, "8": 1 - share}, seed=3)
    method = MajorityVoteController(NativeGenerationController(), n, answers="number")
    async with ScaffoldingLlm(method, worker) as llm:
        results = await asyncio.gather(*(llm.generate_async(f"q{i}") for i in range(questions)))
    assert within_four_errors(sum(result.text == "7" for result in results), questions, expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"answers": {}},
        {"answers": {"a": -1, "b": 2}},
        {"answers": {"a": 0}},
        {"answers": {"a": math.nan}},
        {"seconds_per_token": -1},
        {"seconds_per_token": math.inf},
        {"max_concurrency": 0},
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(InvalidRequestError):
        SimulatedWorker(**{"answers": {"a": 1}, **wrong})


def test_randomness_of_the_program_is_left_alone():
    before = random.getstate()
    asyncio.run(ran(SimulatedWorker({"a": 1, "b": 1})))
    assert random.getstate() == before
