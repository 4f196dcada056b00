"""ChainOfVerificationController: an answer, questions that check it, and an answer by these."""

import pytest

from scaffolding_core import (
    Budget,
    ChainOfVerificationController,
    InvalidRequestError,
    NativeChatController,
    NativeGenerationController,
    SystemMessage,
    UserMessage,
    WorkerError,
)
from tests.core.controllers.refining.scripted import Model, errors, texts

pytestmark = pytest.mark.looptime

chat, text = NativeChatController(), NativeGenerationController()
PLAN = "Questions:\n1. Was Ada born in Rome?\n2. Was Bob born\n   in Paris?\n"


def model(plan=PLAN, **more):
    script = {
        "Facts of that answer": "Bob",
        "Which facts": plan,
        "Ada": "No, in London.",
        "Bob": "Yes.",
        "How many?": "Ada, Bob",
        **more,
    }
    return Model(script)


async def test_it_answers_plans_questions_answers_each_and_answers_again():
    script = model()
    output = await script.ask(ChainOfVerificationController(chat))
    assert (output.text, output.stopped, texts(output)) == ("Bob", "complete", ["Ada, Bob", "Bob"])
    assert output.data == {
        "checks": [
            {"question": "Was Ada born in Rome?", "answer": "No, in London."},
            {"question": "Was Bob born in Paris?", "answer": "Yes."},
        ]
    }
    assert (output.usage.calls, script.most) == (5, 2)  # the questions at the same time
    last = script.tasks[-1].messages
    assert [message.text for message in last[:2]] == ["How many?", "Ada, Bob"]
    assert "- Was Ada born in Rome? No, in London.\n- Was Bob born in Paris? Yes.\n" in last[2].text


async def test_a_question_is_asked_without_the_answer_and_the_chat_but_for_the_system_messages():
    script = model()
    await script.ask(ChainOfVerificationController(chat), [SystemMessage("Be brief."), UserMessage("How many?")])
    assert [message.text for message in script.tasks[2].messages] == ["Be brief.", "Was Ada born in Rome?"]
    script = model()
    await script.ask(ChainOfVerificationController(text), "How many?")
    assert script.asked[2] == "Was Ada born in Rome?"


async def test_a_question_is_asked_behind_the_whole_prompt_where_it_holds_the_facts():
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    script = model()
    prompt = [UserMessage([{"type": "text", "text": "How many?"}, picture])]
    await script.ask(ChainOfVerificationController(chat, with_prompt=True), prompt)
    (message,) = script.tasks[2].messages
    assert picture in message.content
    assert message.text.endswith("Was Ada born in Rome?")
    assert "Ada, Bob" not in message.text


async def test_no_more_than_m_questions_are_asked():
    script = model()
    output = await script.ask(ChainOfVerificationController(chat, 1))
    assert "at most 1 short question" in script.asked[1]
    assert [check["question"] for check in output.data["checks"]] == ["Was Ada born in Rome?"]


@pytest.mark.parametrize("plan", ["", "There is nothing to check.", "<think>1. Is it?</think>"])
async def test_without_any_question_the_first_answer_is_the_result(plan):
    output = await model(plan).ask(ChainOfVerificationController(chat))
    assert (output.text, texts(output), output.data) == ("Ada, Bob", ["Ada, Bob"], {"checks": []})
    assert output.usage.calls == 2


async def test_a_check_that_fails_is_left_out():
    script = model(Ada=WorkerError("down"))
    output = await script.ask(ChainOfVerificationController(chat))
    assert output.text == "Bob"
    assert output.data["checks"][0] == {"question": "Was Ada born in Rome?", "answer": None}
    assert "Ada" not in script.asked[-1]


@pytest.mark.parametrize(
    "down",
    [["Which facts"], ["Ada", "Bob"], ["Facts of that answer"]],
    ids=["plan", "checks", "answer"],
)
async def test_what_fails_behind_the_first_answer_leaves_it(down):
    output = await model(**dict.fromkeys(down, WorkerError("down"))).ask(ChainOfVerificationController(chat))
    assert (output.text, errors(output)) == ("Ada, Bob", [None, "WorkerError"])


async def test_checks_without_a_word_leave_the_first_answer():
    output = await model(Ada="", Bob="").ask(ChainOfVerificationController(chat))
    assert (output.text, output.usage.calls) == ("Ada, Bob", 4)


async def test_a_budget_that_ends_before_the_last_answer_leaves_the_first():
    for samples in (1, 2, 3, 4):
        output = await model().ask(ChainOfVerificationController(chat), budget=Budget(samples=samples))
        assert (output.text, output.stopped) == ("Ada, Bob", "budget")
    output = await model(Bob=(60, "Yes.")).ask(ChainOfVerificationController(chat), budget=Budget(seconds=9))
    assert (output.text, output.stopped, texts(output)) == ("Ada, Bob", "budget", ["Ada, Bob"])


@pytest.mark.parametrize("wrong", [{"max_questions": 0}, {"plan": "{n}"}, {"revise": "{"}, {"answers": "?"}])
def test_what_makes_no_sense_is_refused_when_it_is_made(wrong):
    with pytest.raises(InvalidRequestError):
        ChainOfVerificationController(chat, **wrong)
