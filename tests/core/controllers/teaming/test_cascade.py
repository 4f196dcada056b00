"""CascadeController: the cheap model answers where it is sure, the strong one where it is not."""

import asyncio

import pytest

from scaffolding_core import (
    AssistantMessage,
    BackendUnavailableError,
    BestOfNController,
    Budget,
    BudgetExceededError,
    CascadeController,
    Controller,
    FinalEvent,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeRewardController,
    PairwiseJudge,
    ScaffoldingLlm,
    SimulatedWorker,
    ToolCall,
    build_method,
)
from scaffolding_core.adapting import Backend

cheap, strong = NativeChatController(), NativeChatController(role="strong")


def says(*answers):
    """A worker that says them one after another; an error is raised."""
    left = list(answers)

    def answer(task):
        said = left.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    worker = FunctionWorker(answer)
    worker.left = left
    return worker


async def cascaded(method, samples, answer="42", **options):
    """The output, the cheap samples that were not drawn, and whether the strong model was left alone."""
    workers = {"generation": says(*samples), "strong": says(answer)}
    async with ScaffoldingLlm(method, workers) as llm:
        output = (await llm.generate_async("q", **options)).output
    return output, workers["generation"].left, workers["strong"].left == [answer]


async def test_where_enough_samples_agree_the_strong_model_is_not_asked():
    output, left, alone = await cascaded(CascadeController(cheap, strong, 5), ["7", "7", "7", "8", "9"])
    assert (output.text, output.answer, alone) == ("7", "7", True)
    assert output.data == {"answered_by": "generation", "confidence": 0.6}
    assert left == ["8", "9"]  # three of five are enough, so that no more are started


async def test_where_they_disagree_its_answer_stands_and_its_sample_comes_last():
    output, _, alone = await cascaded(CascadeController(cheap, strong, 3), ["7", "8", "9"])
    assert (output.text, output.answer, output.method, alone) == ("42", "42", "CascadeController", False)
    assert output.data == {"answered_by": "strong", "confidence": pytest.approx(1 / 3)}
    assert [(each.index, each.text) for each in output.candidates] == [
        (0, "7"), (1, "8"), (2, "9"), (3, "42")
    ]  # fmt: skip


async def test_no_more_is_sampled_once_no_answer_can_reach_the_threshold():
    method = CascadeController(cheap, strong, 5, threshold=0.8)
    _, left, alone = await cascaded(method, ["7", "8", "9", "7", "7"])
    assert not alone
    assert left == ["7"]  # four had to agree, and so ran at the same time


async def test_at_half_and_below_the_answer_of_the_full_vote_is_taken():
    method = CascadeController(cheap, strong, 4, threshold=0.25)
    output, left, _ = await cascaded(method, ["8", "7", "7", "9"])
    assert (output.text, output.data["confidence"], left) == ("7", 0.5, [])


async def test_samples_that_fail_or_have_no_answer_count_against_it():
    method = CascadeController(cheap, strong, 4, answers="number")
    output, _, _ = await cascaded(method, ["7", "7", ValueError("no"), "who knows"])
    assert output.data == {"answered_by": "strong", "confidence": 0.5}


async def test_where_the_cheap_model_fails_the_strong_one_is_asked():
    method = CascadeController(cheap, strong, 2)
    output, _, _ = await cascaded(method, [ValueError("a"), ValueError("b")])
    assert (output.text, output.data) == ("42", {"answered_by": "strong", "confidence": None})


async def test_where_the_strong_model_fails_the_request_does():
    with pytest.raises(BackendUnavailableError):
        await cascaded(CascadeController(cheap, strong, 2), ["7", "8"], BackendUnavailableError("gone"))


async def test_a_reward_may_be_the_measure_and_one_good_sample_is_enough():
    method = CascadeController(cheap, strong, 2, threshold=0.5, reward_controller=Length())
    output, _, alone = await cascaded(method, ["7", "seven and more"])
    assert (output.text, output.score, alone) == ("seven and more", 1.0, True)
    output, _, alone = await cascaded(method, ["7", "8"])
    assert (output.text, output.data, alone) == ("42", {"answered_by": "strong", "confidence": 0.1}, False)


class Length(Controller):
    def process(self, tasks):
        yield []
        return [min(1.0, len(task.output_str) / 10) for task in tasks]


async def test_the_strong_method_may_be_a_cascade_too():
    last = CascadeController(NativeChatController(role="middle"), strong, 2)
    workers = {"generation": says("7", "8"), "middle": says("6", "5"), "strong": says("42")}
    async with ScaffoldingLlm(CascadeController(cheap, last, 2), workers) as llm:
        output = (await llm.generate_async("q")).output
    inner = {"answered_by": "strong", "confidence": 0.5}
    assert (output.text, output.data) == ("42", {**inner, "strong": inner})
    assert [(each.index, each.text) for each in output.candidates] == [
        (0, "7"), (1, "8"), (2, "6"), (3, "5"), (4, "42")
    ]  # fmt: skip


async def test_calls_of_tools_that_agree_are_handed_on_whole():
    calls = [AssistantMessage(tool_calls=[ToolCall(f"c{i}", "look", '{"at": 1}')]) for i in range(2)]
    output, _, alone = await cascaded(CascadeController(cheap, strong, 2), calls)
    assert alone
    assert output.message.tool_calls == calls[0].tool_calls


async def test_a_stream_shows_only_what_is_final():
    workers = {"generation": says("7", "8"), "strong": says("42")}
    async with ScaffoldingLlm(CascadeController(cheap, strong, 2), workers) as llm:
        events = [event async for event in llm.stream("q")]
    decided = [event for event in events if type(event).__name__ == "DecisionEvent" and event.branch == ()]
    assert decided == []
    assert isinstance(events[-1], FinalEvent)
    assert events[-1].output.text == "42"


@pytest.mark.looptime
class TestTimeIsUp:
    async def answered(self, slow, seconds):
        quick = SimulatedWorker({"7": 1}, tokens=10, seconds_per_token=1)
        odd = SimulatedWorker(lambda task, source: str(source.random()), tokens=10, seconds_per_token=1)
        late = SimulatedWorker({"42 " * 100: 1}, tokens=200 if "think" in slow else None, seconds_per_token=1)
        broken = FunctionWorker(lambda task: 1 / 0)
        cheap_worker = {"cheap": late, "strong": odd, "strong alone": broken, "strong thinks": broken}[slow]
        workers = {"generation": cheap_worker, "strong": quick if slow == "cheap" else late}
        async with ScaffoldingLlm(CascadeController(cheap, strong, 3), workers) as llm:
            return (await llm.generate_async("q", budget=Budget(seconds=seconds))).output

    async def test_before_the_strong_model_has_answered_the_cheap_answer_is_the_result(self):
        output = await self.answered("strong", 50)
        assert output.text.startswith("0.")
        assert (output.stopped, output.data["answered_by"]) == ("budget", "generation")

    async def test_where_there_is_no_cheap_answer_a_part_of_the_strong_one_is_better_than_nothing(self):
        output = await self.answered("strong alone", 50)
        assert (output.text.count("42"), output.stopped, output.data["answered_by"]) == (50, "budget", "strong")

    async def test_before_there_is_any_answer_that_is_said(self):
        for slow in ("cheap", "strong thinks"):
            with pytest.raises(BudgetExceededError):
                await self.answered(slow, 50)


@pytest.mark.looptime
async def test_it_costs_k_cheap_samples_and_the_strong_model_for_the_share_of_questions_where_they_disagree():
    weak = SimulatedWorker({"right": 8, "wrong": 2}, tokens=10)
    great = SimulatedWorker({"right": 1}, tokens=1000)
    method, questions = CascadeController(cheap, strong, 3, threshold=1, answers="text"), 600
    async with ScaffoldingLlm(method, {"generation": weak, "strong": great}) as llm:
        results = await asyncio.gather(*(llm.generate_async(f"question {i}") for i in range(questions)))
    used = [result.output.usage_by_role for result in results]
    assert {roles["generation"].completion_tokens for roles in used} == {3 * 10}
    expected = questions * (1 - 0.8**3 - 0.2**3) * 1000
    spent = sum(roles["strong"].completion_tokens for roles in used if "strong" in roles)
    assert spent == pytest.approx(expected, rel=0.1)
    right = sum(result.output.text == "right" for result in results) / questions
    assert right == pytest.approx(1 - 0.2**3, abs=0.01)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"threshold": 0}, "threshold must be a share"),
        ({"threshold": 1.1}, "threshold must be a share"),
        ({"threshold": "high"}, "threshold must be a finite number"),
        ({"default_sample_num": 1}, "agrees with itself"),
        ({"reward_controller": PairwiseJudge()}, "compares all samples"),
        ({"strong_controller": NativeChatController}, "strong_controller must be an instance"),
    ],
)
def test_what_makes_no_sense_is_refused(options, told):
    with pytest.raises(InvalidRequestError, match=told):
        CascadeController(cheap, **{"strong_controller": strong, **options})


def test_by_name_the_strong_model_is_a_role():
    backend = Backend(says("7", "8"), roles={"strong": says("42")})
    assert backend.llm("cascade", {"sample_num": 2}).generate("q").text == "42"
    method = build_method("cascade", strong_controller=MajorityVoteController(strong, 3))
    assert isinstance(method.strong_controller, MajorityVoteController)


def test_one_sample_is_enough_for_a_reward():
    method = CascadeController(cheap, strong, 1, reward_controller=NativeRewardController())
    assert isinstance(method.cheap, BestOfNController)
