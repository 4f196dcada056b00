"""SelfRefineController and CritiqueReviseController: rounds of feedback and answers."""

import pytest

from scaffolding_core import (
    Budget,
    BudgetExceededError,
    CritiqueReviseController,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    SelfRefineController,
    SimulatedWorker,
    SystemMessage,
    UserMessage,
    WorkerError,
)
from tests.core.controllers.refining.scripted import CALLING, Model, errors, texts

pytestmark = pytest.mark.looptime

chat, text = NativeChatController(), NativeGenerationController()
GOOD = "All is well.\n**Nothing to improve.**"


def model(feedback=("too short", GOOD), answers=("first", "second", "third")):
    again = [*answers[1:]] or ["?"]
    return Model({"was reviewed": again, "Review that answer": [*feedback], "How many?": answers[0]})


async def test_it_answers_again_until_the_feedback_says_that_nothing_is_left():
    script = model()
    output = await script.ask(SelfRefineController(chat))
    assert (output.text, output.stopped, output.method) == ("second", "complete", "SelfRefineController")
    assert texts(output) == ["first", "second"]
    assert output.data == {"feedback": ["too short", GOOD]}
    assert output.usage.calls == 4


async def test_feedback_and_answer_are_asked_for_behind_the_last_answer_and_that_alone():
    script = model(("too short", "still too short", GOOD))
    await script.ask(SelfRefineController(chat), [SystemMessage("Be brief."), UserMessage("How many?")])
    turns = [[(message.role, message.text.split(":")[0]) for message in task.messages] for task in script.tasks]
    question = [("system", "Be brief."), ("user", "How many?")]
    assert turns[0] == question
    assert turns[3][:3] == turns[4][:3] == [*question, ("assistant", "second")]
    assert turns[3][3][1] == "Review that answer"
    assert turns[4][3][1] == "That answer was reviewed"
    assert "still too short" in script.tasks[4].messages[3].text
    assert {len(each) for each in turns[1:]} == {4}


async def test_of_a_text_they_stand_behind_the_prompt_and_the_answer():
    script = model()
    await script.ask(SelfRefineController(text), "How many?")
    assert script.asked[2].startswith(
        "How many?\n\nA previous answer:\nfirst\n\nThat answer was reviewed:\ntoo short"
    )


@pytest.mark.parametrize(
    ("feedback", "ends"),
    [
        ("NOTHING TO IMPROVE", True),
        ("Right.\n\n> *Nothing to improve!*  ", True),
        ("", True),
        ("<think>hm</think>", True),
        ("Nothing to improve in the first part, but the second is wrong.", False),
        ("Style:\nNothing to improve\nContent:\nthe sum is wrong", False),
    ],
)
async def test_the_rounds_end_with_a_last_line_that_says_so_or_without_any_feedback(feedback, ends):
    output = await model([feedback, GOOD]).ask(SelfRefineController(chat))
    assert output.samples == (1 if ends else 2)


async def test_after_k_rounds_the_last_answer_is_the_result():
    assert (await model(["wrong"]).ask(SelfRefineController(chat, 2))).text == "third"
    assert (await model(["wrong"]).ask(SelfRefineController(chat), max_rounds=1)).text == "second"
    none = model(["wrong"])
    assert (await none.ask(SelfRefineController(chat, 0))).samples == len(none.tasks) == 1


async def test_prompts_and_the_line_that_ends_the_rounds_may_be_ones_own():
    script = Model({"mend: ": "second", "say why not, or DONE": ["why not", "Done."], "How": "first"})
    method = SelfRefineController(chat, feedback="say why not, or {stop}", refine="mend: {feedback}", stop="DONE")
    assert (await script.ask(method)).text == "second"
    assert script.asked[2] == "mend: why not"


@pytest.mark.parametrize(
    ("script", "told", "kept"),
    [
        ({"Review": WorkerError("down"), "How": "first"}, [None, "WorkerError"], "first"),
        (
            {"was reviewed": WorkerError("down"), "Review": "bad", "How": "first"},
            [None, "WorkerError"],
            "first",
        ),
        (
            {"was reviewed": "second", "Review": ["bad", WorkerError("down")], "How": "first"},
            [None, None, "WorkerError"],
            "second",
        ),
    ],
    ids=["feedback", "answer", "later feedback"],
)
async def test_what_fails_behind_an_answer_ends_the_rounds_and_the_answer_counts(script, told, kept):
    output = await Model(script).ask(SelfRefineController(chat))
    assert (output.text, output.stopped, errors(output)) == (kept, "complete", told)


async def test_a_first_answer_that_fails_is_an_error():
    with pytest.raises(WorkerError, match="down"):
        await Model({"How": WorkerError("down")}).ask(SelfRefineController(chat))


async def test_a_budget_ends_the_rounds_with_the_last_answer():
    for samples, kept in ((1, "first"), (2, "first"), (3, "second"), (4, "second")):
        output = await model(["bad"]).ask(SelfRefineController(chat), budget=Budget(samples=samples))
        assert (output.text, output.stopped) == (kept, "budget")


async def test_time_that_is_up_midway_keeps_the_whole_answer_before():
    slow = Model({"was reviewed": (60, "second"), "Review": "bad", "How": "first"})
    output = await slow.ask(SelfRefineController(chat), budget=Budget(seconds=10))
    assert (output.text, output.stopped) == ("first", "budget")
    assert errors(output) == [None, "BudgetExceededError"]
    with pytest.raises(BudgetExceededError):
        await Model({"How": (60, "first")}).ask(SelfRefineController(chat), budget=Budget(seconds=10))


async def test_a_part_of_a_text_counts_only_where_there_is_no_whole_one():
    def long(task, _):
        return "bad" if "Review that" in task.messages[-1].text else "a " * (99 if len(task.messages) > 1 else 9)

    worker = SimulatedWorker(long, seconds_per_token=1)
    async with ScaffoldingLlm(SelfRefineController(chat), {"generation": worker}) as llm:
        for seconds, samples, length in ((5, 1, 5), (60, 2, 9)):
            output = (await llm.generate_async([UserMessage("q")], budget=Budget(seconds=seconds))).output
            assert (output.stopped, output.samples, output.text.split()) == ("budget", samples, ["a"] * length)


async def test_a_critic_of_ones_own_is_asked_in_place_of_the_model():
    critic = Model({"Review": ["too short", GOOD]})
    script = Model({"was reviewed": "second", "How": "first"})
    output = await script.ask(CritiqueReviseController(chat, NativeChatController(role="judge")), judge=critic)
    assert (output.text, output.method) == ("second", "CritiqueReviseController")
    assert [message.text for message in critic.tasks[0].messages][:2] == ["How many?", "first"]
    assert output.usage_by_role["judge"].calls == 2
    assert output.usage_by_role["generation"].calls == 2


async def test_a_critic_that_sees_most_mistakes_raises_the_accuracy_by_what_it_sees():
    """Right with 0.5; wrong ones are found with 0.8, and then mended with 0.5: 0.5 + 0.5 · 0.8 · 0.5 = 0.7."""

    def answer(task, source):
        if "Review that answer" in task.messages[-1].text:
            return "bad" if task.messages[-2].text == "wrong" and source.random() < 0.8 else "Nothing to improve"
        return source.choice(["right", "wrong"])

    n, right, calls = 300, 0, 0
    async with ScaffoldingLlm(SelfRefineController(chat, 1), {"generation": SimulatedWorker(answer)}) as llm:
        for seed in range(n):
            output = (await llm.generate_async([UserMessage("q")], seed=seed)).output
            right, calls = right + (output.text == "right"), calls + output.usage.calls
    assert right / n == pytest.approx(0.7, abs=0.06)
    assert calls / n == pytest.approx(2.4, abs=0.06)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_rounds": -1},
        {"feedback": "{words}"},
        {"refine": "{"},
        {"stop": "..."},
        {"stop": None},
        {"answers": "nonsense"},
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(wrong):
    with pytest.raises(InvalidRequestError):
        SelfRefineController(chat, **wrong)
    with pytest.raises(InvalidRequestError):
        CritiqueReviseController(chat, chat, **wrong)
    with pytest.raises(InvalidRequestError, match="judge_controller"):
        CritiqueReviseController(chat, None)


async def test_what_a_method_inside_has_when_time_is_up_is_the_answer():
    vote = MajorityVoteController(chat, 3, stop_rule="full", answers="number")
    script = Model({"How": ["7", "7", (60, "8")]})
    output = await script.ask(SelfRefineController(vote), budget=Budget(seconds=9))
    assert (output.text, output.answer, output.stopped, len(script.tasks)) == ("7", "7", "budget", 3)


async def test_a_later_answer_that_wants_tools_called_is_the_result():
    script = model(["bad"], answers=("first", CALLING))
    output = await script.ask(SelfRefineController(chat))
    assert (output.message.tool_calls, len(script.tasks)) == (CALLING.tool_calls, 3)


async def test_a_part_of_the_feedback_is_none():
    worker = SimulatedWorker(lambda task, _: "a " * (99 if len(task.messages) > 1 else 9), seconds_per_token=1)
    async with ScaffoldingLlm(SelfRefineController(chat), {"generation": worker}) as llm:
        output = (await llm.generate_async([UserMessage("q")], budget=Budget(seconds=60))).output
    assert (output.samples, output.stopped, output.data) == (1, "budget", {"feedback": []})
