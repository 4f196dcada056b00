"""AbMctsController: new answers, and better ones of those that are there."""

import asyncio

import pytest

from scaffolding_core import (
    AbMctsController,
    AssistantMessage,
    Budget,
    InsufficientSamplesError,
    InvalidRequestError,
    NativeChatController,
    PairwiseJudge,
    ScaffoldingLlm,
    ToolCall,
    Usage,
    Verdict,
)
from scaffolding_core.tasks import RewardTask
from scaffolding_core.worker import Worker

pytestmark = pytest.mark.looptime
chat = NativeChatController()


class Improves(Worker):
    """Says the next of its answers; each is worth what follows its `#`."""

    max_concurrency = 256

    def __init__(self, *answers):
        self.answers, self.asked, self.judged, self.seeds = list(answers), [], [], []

    async def run_task(self, task):
        task.usage = Usage(calls=1)
        if isinstance(task, RewardTask):
            self.judged.append(task.response.text)
            await asyncio.sleep(1)
            task.reward, task.feedback = float(task.response.text.partition("#")[2] or 0), "too short"
            return
        self.asked.append(task.messages[-1].text)
        self.seeds.append(task.seed)
        said = self.answers[(len(self.asked) - 1) % len(self.answers)]
        await asyncio.sleep(1)
        if isinstance(said, Exception):
            raise said
        task.said = said if isinstance(said, AssistantMessage) else AssistantMessage(said, finish_reason="stop")


async def search(worker, request=None, **options):
    options = {"evaluator": "reward", "max_samples": 6, **options}
    async with ScaffoldingLlm(AbMctsController(chat, **options), worker) as llm:
        return (await llm.generate_async("q", **(request or {}))).output


async def test_the_best_answer_is_the_result_as_it_was_said():
    said = AssistantMessage("seven #0.9", reasoning="hm", finish_reason="stop")
    worker = Improves("one #0.1", "two #0.2", said)
    output = await search(worker)
    assert output.message is said
    assert (output.score, output.samples, output.stopped) == (0.9, 6, "complete")


async def test_the_first_is_asked_for_as_it_stands_and_later_ones_see_the_one_above():
    worker = Improves("one #0.1", "two #0.2")
    await search(worker, width=1, max_samples=12)
    refined = [text for text in worker.asked if text != "q"]
    assert worker.asked[0] == "q"
    assert refined
    assert all(text.startswith("q\n\nThis was answered before:\n") for text in refined)
    assert "one #0.1\nIt was given 0.10 of 1: too short" in "".join(refined)


async def test_thoughts_of_an_answer_are_not_shown():
    worker = Improves("<think>aside</think>one #0.5")
    await search(worker, width=1, max_samples=12)
    assert not any("aside" in text for text in worker.asked)


async def test_the_same_answers_are_judged_once_but_where_they_end_together():
    worker = Improves("one #0.1")
    output = await search(worker, width=1)
    assert (len(worker.judged), output.samples) == (1, 6)
    worker = Improves("one #0.1")
    output = await search(worker, width=6)
    assert [candidate.score for candidate in output.candidates] == [0.1] * 6


async def test_answers_are_made_at_the_same_time():
    started = asyncio.get_running_loop().time()
    await search(Improves(*(f"{number} #0.5" for number in range(8))), width=4, max_samples=8)
    assert asyncio.get_running_loop().time() - started == pytest.approx(4)


async def test_an_answer_that_passes_ends_it():
    class Seven:
        def verify(self, message):
            return Verdict(message.text == "7")

    output = await search(Improves("8", "7", "9"), verifier=Seven(), width=1)
    assert (output.text, output.stopped, output.samples) == ("7", "decided", 2)


async def test_a_value_that_is_enough_ends_it():
    output = await search(Improves("one #0.1", "two #0.95"), enough=0.9, width=1)
    assert (output.text, output.stopped) == ("two #0.95", "decided")


async def test_a_call_of_tools_is_handed_on_whole():
    said = AssistantMessage(tool_calls=[ToolCall("1", "look", "{}")], finish_reason="tool_calls")
    output = await search(Improves(said), max_samples=1)
    assert output.message is said


async def test_what_fails_costs_itself_alone():
    output = await search(Improves(ConnectionError("lost"), "one #0.1"), width=1)
    assert output.text == "one #0.1"
    assert sum(candidate.error is not None for candidate in output.candidates) == 3
    with pytest.raises(InsufficientSamplesError, match="lost"):
        await search(Improves(ConnectionError("lost")))


async def test_where_time_is_up_the_best_so_far_is_the_result():
    worker = Improves("one #0.1", "two #0.2")
    output = await search(worker, {"budget": Budget(seconds=4.5)}, width=1)
    assert (output.text, output.stopped) == ("two #0.2", "budget")


async def test_a_value_out_of_range_is_an_error_that_says_so():
    with pytest.raises(InvalidRequestError, match="between 0 and 1"):
        await search(Improves("one #7"))


async def test_it_draws_by_the_requests_seed():
    runs = [Improves(*(f"{number} #0.{number}" for number in range(8))) for _ in range(3)]
    for worker, seed in zip(runs, (1, 1, 2), strict=True):
        await search(worker, {"seed": seed}, width=1, max_samples=12)
    assert runs[0].asked == runs[1].asked
    assert len(set(runs[0].seeds)) == 12
    assert runs[0].seeds != runs[2].seeds


@pytest.mark.parametrize(
    "options",
    [
        {"evaluator": "vote"},
        {"evaluator": PairwiseJudge()},
        {"refine": "better"},
        {"width": 0},
    ],
    ids=["vote", "pairwise", "refine", "width"],
)
def test_settings_out_of_range_are_refused(options):
    with pytest.raises(InvalidRequestError):
        AbMctsController(chat, **options)
