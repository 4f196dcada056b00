"""ReflexionController: fresh tries, with the lessons of those that failed."""

import pytest

from scaffolding_core import (
    Budget,
    InvalidRequestError,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    PairwiseJudge,
    ReflexionController,
    ScaffoldingLlm,
    SimulatedWorker,
    UserMessage,
    WorkerError,
)
from tests.core.controllers.refining.scripted import CALLING, Model, errors, texts

pytestmark = pytest.mark.looptime

chat, text, rewards = NativeChatController(), NativeGenerationController(), NativeRewardController()
SCORES = {"_5": (0.1, "not 5"), "_6": 0.3, "_7": 1.0, "_9": 0.3}


def model(*answers, lessons=("add first", "carry the one"), **scores):
    return Model({"That answer failed": [*lessons], "How many?": [*answers]}, **(scores or SCORES))


async def test_it_tries_until_an_answer_passes_and_tells_the_lessons():
    output = await model("5", "6", "7", "8").ask(ReflexionController(chat, rewards))
    assert (output.text, output.score, output.stopped) == ("7", 1.0, "complete")
    assert texts(output) == ["5", "6", "7"]
    assert [candidate.score for candidate in output.candidates] == [0.1, 0.3, 1.0]
    assert output.data == {"lessons": ["add first", "carry the one"]}
    assert output.usage.calls == 8


async def test_a_lesson_is_drawn_from_the_try_that_failed_and_what_was_said_of_it():
    script = model("5", "6", "7")
    await script.ask(ReflexionController(chat, rewards))
    turns = [[message.text.splitlines()[0] for message in task.messages] for task in script.tasks]
    assert turns[1] == ["How many?", "5", "That answer failed: not 5"]
    assert turns[3] == ["How many?", "6", "That answer failed: its score is 0.3."]


async def test_a_try_is_fresh_and_has_all_lessons_so_far_behind_the_question():
    script = model("5", "6", "7")
    await script.ask(ReflexionController(text, rewards), "How many?")
    assert script.asked[2].startswith("How many?\n\nEarlier tries at this failed.")
    assert "- add first\n- carry the one\n" in script.asked[4]
    assert not any("5" in script.asked[place] for place in (2, 4))


async def test_each_try_is_judged_by_the_prompt_as_it_came_in():
    script = model("5", "6", "7")
    await script.ask(ReflexionController(text, rewards), "How many?")
    assert [task.input_str for task in script.judged] == ["How many?"] * 3


async def test_an_empty_lesson_is_not_kept():
    script = model("5", "6", "7", lessons=["<think>so</think>", "carry the one"])
    output = await script.ask(ReflexionController(chat, rewards))
    assert script.asked[2] == "How many?"
    assert output.data == {"lessons": ["carry the one"]}


async def test_after_the_last_try_the_best_counts_and_the_later_of_equals():
    script = model("6", "9", "5")
    output = await script.ask(ReflexionController(chat, rewards, 2))
    assert (output.text, output.samples) == ("9", 3)
    assert len(script.tasks) == 5  # no lesson from the last
    assert (await model("6", "7").ask(ReflexionController(chat, rewards), max_retries=0)).text == "6"


async def test_a_verdict_goes_before_the_score():
    output = await model("5", "6", "7", _5=False, _6=True).ask(ReflexionController(chat, rewards))
    assert (output.text, output.judgement.verdict) == ("6", True)


async def test_an_answer_that_says_the_same_again_is_not_judged_again():
    script = model("5", "5", "7")
    await script.ask(ReflexionController(chat, rewards))
    assert len(script.judged) == 2


@pytest.mark.parametrize(
    ("script", "kept", "told"),
    [
        (model("5", WorkerError("down")), "5", [None, "WorkerError"]),
        (model("5", "7", lessons=[WorkerError("down")]), "5", [None, "WorkerError"]),
        (model("5", "6", _5=0.1, _6=ValueError("no verdict")), "5", [None, None, "WorkerError"]),
        (model("5", "6", _5=ValueError("no verdict")), "5", [None, "WorkerError"]),
    ],
    ids=["try", "lesson", "judgement", "first judgement"],
)
async def test_what_fails_ends_the_tries_and_the_best_before_it_counts(script, kept, told):
    output = await script.ask(ReflexionController(chat, rewards))
    assert (output.text, errors(output)) == (kept, told)


async def test_a_budget_ends_the_tries_with_the_best_so_far():
    for samples, kept in ((1, "6"), (2, "6"), (3, "6"), (4, "6"), (5, "7")):
        output = await model("6", "5", "7").ask(ReflexionController(chat, rewards), budget=Budget(samples=samples))
        assert output.text == kept
        assert output.stopped == ("complete" if kept == "7" else "budget")


async def test_a_verifier_that_knows_gives_the_accuracy_of_any_of_the_tries():
    """Right with 0.4 at each of 3 tries: 1 - 0.6³ = 0.784, and 0.4 + 0.24 · 2 + 0.36 · 3 = 1.96 tries."""

    def answer(task, source):
        if "That answer failed" in task.messages[-1].text:
            return f"lesson {source.random()}"
        return "right" if source.random() < 0.4 else "wrong"

    worker = SimulatedWorker(answer, reward=lambda said, _: float(said == "right"))
    n, right, tries = 300, 0, 0
    async with ScaffoldingLlm(
        ReflexionController(chat, rewards, 2), {"generation": worker, "reward": worker}
    ) as llm:
        for seed in range(n):
            output = (await llm.generate_async([UserMessage("q")], seed=seed)).output
            right, tries = right + (output.text == "right"), tries + output.samples
    assert right / n == pytest.approx(0.784, abs=0.06)
    assert tries / n == pytest.approx(1.96, abs=0.12)


@pytest.mark.parametrize(
    "wrong", [{"max_retries": -1}, {"passing": "1"}, {"reflect": "{said}"}, {"lessons": "{"}, {"answers": "?"}]
)
def test_what_makes_no_sense_is_refused_when_it_is_made(wrong):
    with pytest.raises(InvalidRequestError):
        ReflexionController(chat, rewards, **wrong)


async def test_a_reward_that_compares_samples_is_refused():
    with pytest.raises(InvalidRequestError, match="compares samples"):
        await model("5").ask(ReflexionController(chat, PairwiseJudge()))


async def test_a_later_try_that_wants_tools_called_is_the_result():
    output = await model("6", CALLING).ask(ReflexionController(chat, rewards))
    assert (output.message.tool_calls, output.samples) == (CALLING.tool_calls, 2)
