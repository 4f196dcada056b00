"""SequentialRevisionController: a chain of revisions, and the best of all."""

import math

import pytest

from scaffolding_core import (
    BestOfNController,
    Budget,
    BudgetExceededError,
    InsufficientSamplesError,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    ScaffoldingLlm,
    SequentialRevisionController,
    SimulatedWorker,
    UserMessage,
    WorkerError,
)
from tests.core.controllers.refining.scripted import Model, errors, texts

pytestmark = pytest.mark.looptime

chat, text, rewards = NativeChatController(), NativeGenerationController(), NativeRewardController()


def model(*answers, **scores):
    return Model({"": [*answers]}, **scores)


async def test_the_answer_given_most_often_in_the_whole_chain_wins_not_the_last():
    output = await model("7", "7", "8", "9").ask(SequentialRevisionController(chat, answers="number"))
    assert (output.answer, output.votes, output.agreement) == ("7", {"7": 2, "9": 1, "8": 1}, 0.5)
    assert texts(output) == ["7", "7", "8", "9"]
    assert (output.stopped, output.usage.calls) == ("complete", 4)


async def test_of_equals_the_one_given_last_wins():
    assert (await model("7", "8", "8", "7").ask(SequentialRevisionController(chat, answers="number"))).text == "7"
    assert (await model("a", "b", "c", "d").ask(SequentialRevisionController(chat, answers="number"))).text == "d"
    assert (await model("a", "b", "c", "d").ask(SequentialRevisionController(chat))).text == "d"


async def test_it_ends_when_the_rest_could_not_change_the_vote():
    script = model("7", "7", "7", "8")
    output = await script.ask(SequentialRevisionController(chat, answers="number"))
    assert (output.answer, output.stopped, len(script.tasks), script.most) == ("7", "decided", 3, 1)


async def test_a_revision_sees_the_last_m_answers_as_turns_of_the_chat():
    script = model("7", "8", "9", "10")
    await script.ask(SequentialRevisionController(chat, shown=2, again="Again."))
    assert [[message.text for message in task.messages[1:]] for task in script.tasks] == [
        [],
        ["7", "Again."],
        ["7", "Again.", "8", "Again."],
        ["8", "Again.", "9", "Again."],
    ]


async def test_of_a_text_the_answers_stand_behind_the_prompt():
    script = model("7", "8", "9", "10")
    await script.ask(SequentialRevisionController(text, again="Again."), "q")
    assert script.asked[2] == "q\n\nA previous answer:\n7\n\nAgain.\n\nA previous answer:\n8\n\nAgain."


async def test_with_a_reward_the_highest_in_the_chain_wins():
    script = model("7", "8", "9", "7", _7=0.2, _8=0.9, _9=0.4)
    output = await script.ask(SequentialRevisionController(chat, reward_controller=rewards, answers="number"))
    assert (output.text, output.score, output.agreement) == ("8", 0.9, 0.25)
    assert [*output.votes] == ["8", "7", "9"]
    assert [candidate.score for candidate in output.candidates] == [0.2, 0.9, 0.4, 0.2]
    assert len(script.judged) == 3  # the same answer is judged once


async def test_a_reward_that_compares_samples_sees_all_at_the_end():
    class Longest(NativeRewardController):
        compares_samples = True

        def process(self, tasks):
            self.scores = [float(len(task.message().text)) for task in tasks]
            yield []
            return self.scores

    output = await model("a", "bbb", "cc").ask(SequentialRevisionController(chat, 3, reward_controller=Longest()))
    assert (output.text, output.score) == ("bbb", 3.0)


async def test_a_revision_that_fails_costs_itself_alone_and_the_next_sees_those_before():
    script = model("7", WorkerError("down"), "9", "7")
    output = await script.ask(SequentialRevisionController(chat, answers="number"))
    assert (output.answer, errors(output)) == ("7", [None, "WorkerError", None, None])
    assert [message.text for message in script.tasks[2].messages][1:2] == ["7"]
    with pytest.raises(InsufficientSamplesError, match="down"):
        await model(WorkerError("down")).ask(SequentialRevisionController(chat, 3))
    with pytest.raises(InsufficientSamplesError):
        await model("7", WorkerError("down"), "7", "7").ask(SequentialRevisionController(chat, min_samples=4))


async def test_a_budget_ends_the_chain_with_the_best_so_far():
    method = SequentialRevisionController(chat, answers="number")
    output = await model("7", "8", "8").ask(method, budget=Budget(samples=1))
    assert (output.text, output.stopped) == ("7", "budget")
    output = await model("7", "8", "8", "7").ask(method, budget=Budget(samples=3))
    assert (output.text, output.stopped) == ("8", "budget")
    scored = SequentialRevisionController(chat, reward_controller=rewards)
    output = await model("7", "8", _7=1.0, _8=0.5).ask(scored, budget=Budget(samples=2))
    assert (output.text, output.score, output.stopped) == ("7", 1.0, "budget")
    with pytest.raises(BudgetExceededError):
        await model((60, "7")).ask(method, budget=Budget(seconds=1))


async def test_chains_in_a_vote_run_at_the_same_time():
    script = model("7")
    method = MajorityVoteController(SequentialRevisionController(chat, 2), 3, stop_rule="full", answers="number")
    output = await script.ask(method)
    assert (output.answer, script.most, output.usage.calls) == ("7", 3, 6)


async def test_a_chain_of_independent_answers_is_as_right_as_a_vote_of_them():
    """Right with 0.7 at each of 3: 0.7³ + 3 · 0.7² · 0.3 = 0.784; the third is asked for with 0.42."""
    worker = SimulatedWorker({"1": 0.7, "2": 0.3})
    n, right, calls = 300, 0, 0
    async with ScaffoldingLlm(SequentialRevisionController(chat, 3, answers="number"), worker) as llm:
        for seed in range(n):
            output = (await llm.generate_async([UserMessage("q")], seed=seed)).output
            right, calls = right + (output.answer == "1"), calls + output.usage.calls
    assert right / n == pytest.approx(0.784, abs=4 * math.sqrt(0.784 * 0.216 / n))
    assert calls / n == pytest.approx(2.42, abs=0.1)


@pytest.mark.parametrize(
    "wrong",
    [{"default_sample_num": 0}, {"shown": 0}, {"reward_controller": 7}, {"min_samples": 0}, {"answers": "?"}],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(wrong):
    with pytest.raises(InvalidRequestError):
        SequentialRevisionController(chat, **wrong)


async def test_the_scores_of_a_method_inside_choose_nothing():
    inner = BestOfNController(chat, rewards, 1)
    script = model("7", "8", "8", "9", _7=1.0, _8=0.1, _9=0.1)
    output = await script.ask(SequentialRevisionController(inner, answers="number"))
    assert (output.answer, output.score) == ("8", None)
