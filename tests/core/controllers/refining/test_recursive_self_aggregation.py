"""RecursiveSelfAggregationController: populations of answers, each made of some of those before."""

import math
import re

import pytest

from scaffolding_core import (
    AssistantMessage,
    Budget,
    BudgetExceededError,
    InsufficientSamplesError,
    InvalidRequestError,
    NativeChatController,
    NativeGenerationController,
    RecursiveSelfAggregationController,
    ScaffoldingLlm,
    SimulatedWorker,
    UserMessage,
    WorkerError,
)
from tests.core.controllers.refining.scripted import CALLING, Model, errors, texts

pytestmark = pytest.mark.looptime

chat, text = NativeChatController(), NativeGenerationController()


def method(n=4, subset=2, rounds=1, generation=chat, **more):
    return RecursiveSelfAggregationController(
        generation, n, subset=subset, rounds=rounds, answers="number", **more
    )


def seen(asked):
    """The answers that an aggregation is shown."""
    return re.findall(r"Answer \d:\n(.+)\n", asked)


async def test_each_answer_of_a_next_population_sees_k_others_of_the_one_before():
    script = Model({"Here are answers": "7", "How": ["1", "2", "3", "4"]})
    output = await script.ask(method(rounds=2), seed=1)
    assert (output.answer, output.data) == ("7", {"populations": [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]})
    first = [seen(asked) for asked in script.asked[4:8]]
    assert all(len(set(each)) == 2 and set(each) < set("1234") for each in first)
    assert len({tuple(each) for each in first}) > 1
    assert [seen(asked) for asked in script.asked[8:]] == [["7", "7"]] * 4
    assert texts(output)[:8] == ["1", "2", "3", "4", "7", "7", "7", "7"]


async def test_the_vote_is_in_the_last_population_and_cuts_what_could_not_change_it():
    aggregated = [(1, "7"), (2, "7"), (3, "7"), (60, "8")]
    script = Model({"Here are answers": aggregated, "How": ["8"]})
    output = await script.ask(method())
    assert (output.answer, output.votes, output.stopped, script.cut) == ("7", {"7": 3}, "decided", 1)


async def test_which_answers_it_sees_is_drawn_by_the_seed():
    async def drawn(seed):
        script = Model({"Here are answers": "7", "How": ["1", "2", "3", "4"]})
        await script.ask(method(n=4), seed=seed)
        return [seen(asked) for asked in script.asked[4:]]

    assert await drawn(1) == await drawn(1) != await drawn(2)
    assert await drawn(None) == await drawn(None)


async def test_the_seed_of_an_answer_does_not_rest_on_which_are_fast():
    async def drawn(*seconds):
        first = [*zip(seconds, "1234", strict=True)]
        script = Model({"Here are answers": "no idea", "How": first})  # so that all are asked
        await script.ask(method(), seed=1)
        return {(tuple(seen(asked)), task.seed) for asked, task in zip(script.asked, script.tasks, strict=True)}

    assert await drawn(1, 1, 1, 1) == await drawn(4, 1, 9, 2) == await drawn(9, 3, 2, 1)


async def test_an_answer_is_asked_for_as_soon_as_those_are_there_that_it_sees():
    """The third is slow: nobody waits for it who does not see it."""
    script = Model({"Here are answers": (1, "7"), "How": ["1", "2", (60, "3"), "4"]})
    output = await script.ask(method(rounds=2, subset=1), seed=1)
    sees = [seen(asked) == ["3"] for asked in script.asked[4:]]
    assert 0 < sum(sees) < 4
    assert sees[:3] != [True] * 3
    waiting = next(index for index, asked in enumerate(script.asked) if seen(asked) == ["3"])
    assert any(seen(asked) == ["7"] for asked in script.asked[:waiting])  # the third population had begun
    assert output.answer == "7"


async def test_its_calls_run_at_the_same_time():
    script = Model({"Here are answers": "7", "How": "1"})
    await script.ask(method(n=8, subset=2))
    assert script.most == 8


async def test_one_that_fails_costs_itself_alone_and_another_stands_in_for_it():
    script = Model({"Here are answers": "7", "How": ["1", WorkerError("down"), "3", "4"]})
    output = await script.ask(method(subset=3), seed=1)
    assert all(sorted(seen(asked)) == ["1", "3", "4"] for asked in script.asked[4:])
    assert errors(output)[1] == "WorkerError"
    assert output.answer == "7"


async def test_where_fewer_are_left_than_it_is_to_see_it_sees_those():
    script = Model({"Here are answers": "7", "How": ["1", WorkerError("a"), WorkerError("b"), WorkerError("c")]})
    await script.ask(method(subset=3))
    assert [seen(asked) for asked in script.asked[4:]] == [["1"]] * 4


async def test_a_population_that_fails_leaves_the_vote_to_the_one_before():
    script = Model({"Here are answers": WorkerError("down"), "How": ["7", "8", "7", "9"]})
    output = await script.ask(method(rounds=3))
    assert (output.answer, output.stopped, len(script.tasks)) == ("7", "complete", 8)
    assert output.data["populations"] == [[0, 1, 2, 3], [], [], []]
    with pytest.raises(InsufficientSamplesError, match="down"):
        await Model({"": WorkerError("down")}).ask(method())


async def test_a_budget_leaves_the_vote_to_the_last_population_of_those_with_the_most_answers():
    script = {"Here are answers": "8", "How": ["7", "7", "9", "9"]}
    for samples, answer in ((4, "7"), (6, "7"), (8, "8")):
        output = await Model(dict(script)).ask(method(rounds=2), budget=Budget(samples=samples))
        assert (output.answer, output.stopped) == (answer, "budget")
    with pytest.raises(BudgetExceededError):
        await Model({"How": (60, "7")}).ask(method(), budget=Budget(seconds=1))


async def test_without_any_answer_in_the_last_population_one_of_it_is_the_result():
    script = Model({"Here are answers": "no idea", "How": "7"})
    output = await script.ask(method())
    assert (output.text, output.answer, output.agreement) == ("no idea", None, 0)


async def test_no_rounds_are_a_vote():
    script = Model({"How": ["7", "8", "7", "9"]})
    output = await script.ask(method(rounds=0))
    assert (output.answer, len(script.tasks)) == ("7", 4)
    assert (await Model({"Here": "8", "How": "7"}).ask(method(rounds=3), rounds=0)).answer == "7"


async def test_the_first_that_wants_tools_called_is_handed_on_and_the_rest_is_cut():
    script = Model({"Here are answers": (60, "7"), "How": ["1", "2", (3, CALLING), (60, "4")]})
    output = await script.ask(method())
    assert output.message.tool_calls == CALLING.tool_calls
    assert (output.stopped, output.agreement) == ("decided", None)
    assert script.cut > 0


async def test_thoughts_are_not_shown():
    said = AssistantMessage("<think>so</think>it is 7", reasoning="hm")
    script = Model({"Here are answers": "7", "How": said})
    await script.ask(method())
    assert seen(script.asked[-1]) == ["it is 7"] * 2
    assert "so" not in script.asked[-1].split("Here are answers")[1].split("Answer the question")[0]


def expected(n, subset, rounds, right):
    """How often most of the last population are right, where an answer is right if one is that it sees."""
    chances = [math.comb(n, c) * right**c * (1 - right) ** (n - c) for c in range(n + 1)]
    for _ in range(rounds):
        found = [1 - math.comb(n - c, subset) / math.comb(n, subset) for c in range(n + 1)]
        chances = [
            sum(chances[c] * math.comb(n, new) * p**new * (1 - p) ** (n - new) for c, p in enumerate(found))
            for new in range(n + 1)
        ]
    return sum(chances[n // 2 + 1 :])


@pytest.mark.parametrize("rounds", [0, 1, 3])  # 0.13, 0.53, 0.83
async def test_aggregation_that_keeps_what_is_right_spreads_it_as_arithmetic_says(rounds):
    def answer(task, source):
        shown = seen(task.messages[-1].text)
        return ("1" if "1" in shown else "2") if shown else source.choices("12", [3, 7])[0]

    n, right, calls = 150, 0, 0
    async with ScaffoldingLlm(method(7, 2, rounds), SimulatedWorker(answer)) as llm:
        for seed in range(n):
            output = (await llm.generate_async([UserMessage("q")], seed=seed)).output
            right, calls = right + (output.answer == "1"), calls + output.usage.calls
    accuracy = expected(7, 2, rounds, 0.3)
    assert right / n == pytest.approx(accuracy, abs=4 * math.sqrt(accuracy * (1 - accuracy) / n))
    assert calls / n <= 7 * (1 + rounds)


@pytest.mark.parametrize(
    "wrong",
    [{"default_sample_num": 0}, {"subset": 0}, {"rounds": -1}, {"aggregate": "{those}"}, {"answers": "?"}],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(wrong):
    with pytest.raises(InvalidRequestError):
        RecursiveSelfAggregationController(chat, **wrong)
