"""PlanSearchController: answers by plans that rest on different observations."""

import pytest

from scaffolding_core import (
    Budget,
    InsufficientSamplesError,
    InvalidRequestError,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    PlanSearchController,
    ScaffoldingLlm,
    SimulatedWorker,
    UserMessage,
    WorkerError,
)
from tests.core.controllers.refining.scripted import CALLING, Model, texts

pytestmark = pytest.mark.looptime

chat, text, rewards = NativeChatController(), NativeGenerationController(), NativeRewardController()


def model(observed="1. it is even\n2. it is small", derived="- so {2}", plan="Say {2}.", answer="2", **scores):
    script = {
        "Follow this plan": answer,
        "Write a plan": plan,
        "What new observations": derived,
        "that could help": observed,
    }
    return Model(script, **scores)


async def test_it_observes_derives_plans_and_answers_by_the_plan():
    script = model()
    output = await script.ask(PlanSearchController(chat, 1, answers="number"), seed=1)
    observations = output.data["plans"][0]["observations"]
    assert output.data == {
        "observations": ["it is even", "it is small"],
        "plans": [{"sample": 0, "observations": observations, "plan": "Say {2}."}],
    }
    shown = "\n".join(f"- {each}" for each in observations)
    assert f"were made:\n{shown}\n\nWhat new" in script.asked[1]
    assert f"were made:\n{shown}\n- so {{2}}\n\nWrite a plan" in script.asked[2]
    assert script.asked[3].startswith("How many?\n\nFollow this plan, and mend it where it is wrong:\nSay {2}.\n")
    assert (output.answer, texts(output), output.usage.calls) == ("2", ["2"], 4)


async def test_samples_rest_on_different_choices_of_one_or_two_observations():
    output = await model("1. a\n2. b\n3. c").ask(PlanSearchController(chat, 8), sample_num=6, seed=1)
    choices = [tuple(plan["observations"]) for plan in output.data["plans"]]
    assert sorted(choices) == [("a",), ("a", "b"), ("a", "c"), ("b",), ("b", "c"), ("c",)]
    again = await model("1. a\n2. b\n3. c").ask(PlanSearchController(chat, 6), seed=1)
    assert [tuple(plan["observations"]) for plan in again.data["plans"]] == choices
    other = await model("1. a\n2. b\n3. c").ask(PlanSearchController(chat, 6), seed=2)
    assert [tuple(plan["observations"]) for plan in other.data["plans"]] != choices


async def test_choices_come_again_where_there_are_fewer_than_samples():
    output = await model("1. a").ask(PlanSearchController(chat, 3, answers="number"))
    assert [plan["observations"] for plan in output.data["plans"]] == [["a"]] * 3


async def test_no_more_observations_are_taken_than_the_most():
    output = await model("1. a\n2. b\n3. c", derived="1. d\n2. e").ask(
        PlanSearchController(chat, 2, max_observations=1)
    )
    assert output.data["observations"] == ["a"]


async def test_the_samples_run_at_the_same_time_and_are_cut_when_the_vote_is_decided():
    script = model(answer=[(1, "2"), (2, "2"), (60, "3")])
    output = await script.ask(PlanSearchController(chat, 3, answers="number"))
    assert (output.answer, output.votes, output.stopped) == ("2", {"2": 2}, "decided")
    assert (script.most, script.cut) == (3, 1)


async def test_a_reward_chooses_and_scores_each_as_soon_as_it_is_there():
    script = model(answer=[(1, "2"), (9, "3"), (5, "2")], _2=0.1, _3=0.9)
    output = await script.ask(PlanSearchController(chat, 3, reward_controller=rewards, answers="number"))
    assert (output.text, output.score, output.votes) == ("3", 0.9, {"3": 1, "2": 2})


async def test_those_that_say_the_same_at_the_same_time_are_judged_once_and_all_scored():
    script = model(answer=["2", "2", "3"], _2=0.7, _3=0.1)
    script.judges_for = 5
    output = await script.ask(PlanSearchController(chat, 3, reward_controller=rewards))
    assert [candidate.score for candidate in output.candidates] == [0.7, 0.7, 0.1]
    assert len(script.judged) == 2


async def test_without_time_to_judge_any_the_vote_chooses():
    script = model(answer=["2", "3", "3"], _2=0.7, _3=0.1)
    script.judges_for = 60
    method = PlanSearchController(chat, 3, reward_controller=rewards, answers="number")
    output = await script.ask(method, budget=Budget(seconds=9))
    assert (output.text, output.score, output.stopped) == ("3", None, "budget")
    assert not any(candidate.error for candidate in output.candidates)


async def test_as_many_refusals_as_answers_are_a_refusal():
    refusal = "I'm sorry, but I can't help with that."
    script = model(answer=[(1, "2"), (2, refusal), (3, "2"), (4, refusal)])
    output = await script.ask(PlanSearchController(chat, 4, answers="number"))
    assert (output.text, output.answer, output.agreement) == (refusal, None, 0.5)


async def test_without_observations_plans_are_made_without():
    script = model("")
    output = await script.ask(PlanSearchController(chat, 2, answers="number"))
    assert (output.answer, output.data["observations"]) == ("2", [])
    assert not any("What new observations" in asked for asked in script.asked)
    assert "(none)" in script.asked[1]


async def test_an_empty_plan_gives_way_to_what_it_rests_on():
    script = model("1. a", plan="")
    output = await script.ask(PlanSearchController(chat, 1))
    assert output.data["plans"][0]["plan"] == ""
    assert "wrong:\n- a\n- so {2}\n" in script.asked[3]


@pytest.mark.parametrize("step", ["derived", "plan", "answer"])
async def test_a_sample_that_fails_at_any_step_costs_itself_alone(step):
    good = {"derived": "- so", "plan": "Say 2.", "answer": "2"}[step]
    output = await model(**{step: [WorkerError("down"), good]}).ask(
        PlanSearchController(chat, 3, answers="number")
    )
    assert (output.answer, output.votes) == ("2", {"2": 2})
    with pytest.raises(InsufficientSamplesError):
        await model(**{step: WorkerError("down")}).ask(PlanSearchController(chat, 2))
    with pytest.raises(InsufficientSamplesError):
        await model(**{step: [WorkerError("down"), good]}).ask(PlanSearchController(chat, 2, min_samples=2))


async def test_observations_that_fail_are_an_error():
    with pytest.raises(WorkerError, match="down"):
        await model(WorkerError("down")).ask(PlanSearchController(chat, 2))


async def test_time_that_is_up_leaves_the_vote_to_those_that_are_there():
    method = PlanSearchController(chat, 3, answers="number")
    output = await model(answer=["2", (60, "3"), (60, "3")]).ask(method, budget=Budget(seconds=10))
    assert (output.answer, output.stopped) == ("2", "budget")


async def test_time_that_is_up_leaves_the_choice_to_those_that_are_scored():
    method = PlanSearchController(chat, 3, reward_controller=rewards)
    script = model(answer=["2", (2, "3"), (60, "9")], _2=0.1, _3=0.9, _9=1)
    output = await script.ask(method, budget=Budget(seconds=10))
    assert (output.text, output.score, output.stopped) == ("3", 0.9, "budget")


async def test_the_first_that_wants_tools_called_is_handed_on():
    script = model(answer=[(60, "2"), (60, "2"), CALLING])
    output = await script.ask(PlanSearchController(chat, 3, reward_controller=rewards))
    assert output.message.tool_calls == CALLING.tool_calls
    assert (script.cut, script.judged) == (2, [])


async def test_a_text_is_asked_with_the_same_behind_it():
    script = model()
    await script.ask(PlanSearchController(text, 1), "How many?")
    assert all(asked.startswith("How many?\n\n") for asked in script.asked)


async def test_plans_that_differ_make_answers_that_differ():
    """A model that says one thing for each plan, and would say one thing alone without plans."""

    def answer(task, source):
        asked = task.messages[-1].text
        if "that could help" in asked:
            return "1. try 1\n2. try 2\n3. try 3"
        if "What new" in asked:
            return ""
        if "Write a plan" in asked:
            return asked.split("were made:\n")[1].split("\n\n")[0]
        return asked.split("wrong:\n")[1].split("\n\n")[0]

    worker = SimulatedWorker(answer, reward=lambda said, _: float(said == "- try 2\n- try 3"))
    method = PlanSearchController(chat, 6, reward_controller=rewards)
    async with ScaffoldingLlm(method, {"generation": worker, "reward": worker}) as llm:
        output = (await llm.generate_async([UserMessage("q")], seed=3)).output
    assert (output.text, len(set(texts(output)))) == ("- try 2\n- try 3", 6)
    assert output.usage.calls == 1 + 3 * 6 + 6


@pytest.mark.parametrize(
    "wrong",
    [{"default_sample_num": 0}, {"max_observations": 0}, {"reward_controller": 7}, {"min_samples": 0}],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(wrong):
    with pytest.raises(InvalidRequestError):
        PlanSearchController(chat, **wrong)
