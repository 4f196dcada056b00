"""Calibrated: an answer is kept where it is sure enough; else it abstains, or another is asked."""

import pytest

from scaffolding_core import (
    AssistantMessage,
    BestOfNController,
    Budget,
    CalibratedController,
    DecisionEvent,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeRewardController,
    ScaffoldingLlm,
    SimulatedWorker,
    ToolCall,
    UserMessage,
    WorkerError,
    threshold_for,
)
from scaffolding_core.workers.reward import reward_worker
from tests.core.controllers.sampling.test_majority_vote import Says

pytestmark = pytest.mark.looptime
chat, strong = NativeChatController(), NativeChatController(role="strong")


async def ask(says, *strong_says, delays=(), options=None, method=None, **settings):
    controller = CalibratedController(
        chat, len(says), method_controller=method, **{"answers": "number", **settings}
    )
    workers = {
        "generation": Says(says),
        "strong": Says(strong_says or ["!"], delays),
        "reward": reward_worker(lambda prompt, answer: len(answer) / 10),
    }
    async with ScaffoldingLlm(controller, workers) as llm:
        output = (await llm.generate_async("q", **(options or {}))).output
    return output, workers["strong"].started


async def test_an_answer_that_is_sure_enough_is_kept_whole():
    output, asked = await ask(["it is 7", "8", "it is 7", "7"], "9", threshold=0.75, otherwise_controller=strong)
    assert (output.text, output.answer, output.method, asked) == ("it is 7", "7", "CalibratedController", 0)
    assert output.data == {"confidence": 0.75, "threshold": 0.75, "kept": True}


async def test_an_answer_that_is_not_kept_is_not_shown_as_decided():
    method = CalibratedController(chat, 2, answers="number", threshold=0.9, otherwise_controller=strong)
    async with ScaffoldingLlm(method, {"generation": Says(["7", "8"]), "strong": Says(["9"])}) as llm:
        events = [event async for event in llm.stream("q")]
    assert events[-1].output.text == "9"
    assert [event for event in events if isinstance(event, DecisionEvent) and event.branch == ()] == []


async def test_else_it_abstains_and_keeps_what_it_knows():
    output, _ = await ask(["it is 7", "8", "9", "7"], threshold=0.75)
    assert (output.text, output.answer, output.stopped) == ("I do not know.", None, "abstained")
    assert (output.read_as, output.finish_reason) == ("refusal", "stop")
    assert (output.votes, output.agreement) == ({"7": 2, "8": 1, "9": 1}, 0.5)
    assert [c.text for c in output.candidates] == ["it is 7", "8", "9", "7"]
    assert output.data == {"confidence": 0.5, "threshold": 0.75, "kept": False, "unsure": "it is 7"}


async def test_what_it_says_then_is_an_option_and_is_the_result_of_the_task():
    output, _ = await ask(["7", "8"], threshold=0.9, abstention="Ask a person.")
    assert output.text == "Ask a person."
    seen = []

    class Outer(MajorityVoteController):
        def process(self, tasks, **options):
            output = yield from super().process(tasks, **options)
            seen.append(tasks[0].output_str)
            return output

    inner = CalibratedController(chat, 2, threshold=0.9)
    async with ScaffoldingLlm(Outer(inner, 1), Says(["7", "8"])) as llm:
        await llm.generate_async("q")
    assert seen == ["I do not know."]


async def test_of_samples_that_abstain_most_win_as_refusals_do():
    inner = CalibratedController(chat, 2, threshold=0.9)
    says = ["7", "8", "7", "9", "7", "7"]
    async with ScaffoldingLlm(MajorityVoteController(inner, 3, stop_rule="full"), Says(says)) as llm:
        output = (await llm.generate_async("q")).output
    assert (output.text, output.agreement) == ("I do not know.", pytest.approx(2 / 3))


async def test_or_another_answers_whose_samples_stand_behind():
    output, asked = await ask(["7", "8"], "so 9", threshold=0.9, otherwise_controller=strong)
    assert (output.text, output.stopped, asked) == ("so 9", "complete", 1)
    assert [(c.index, c.text) for c in output.candidates] == [(0, "7"), (1, "8"), (2, "so 9")]
    assert output.data == {"confidence": 0.5, "threshold": 0.9, "kept": False, "unsure": "7"}


async def test_the_confidence_may_be_the_score_or_a_function_of_the_output():
    best = BestOfNController(chat, NativeRewardController(), 2)
    for threshold, text in ((0.4, "long"), (0.5, "I do not know.")):
        output, _ = await ask(["long", "no"], method=best, confidence="score", threshold=threshold)
        assert output.text == text
    output, _ = await ask(["7", "8"], confidence=lambda output: output.samples / 10, threshold=0.2)
    assert (output.text, output.data["confidence"]) == ("7", 0.2)


@pytest.mark.parametrize("told", [None, float("nan")])
async def test_a_method_that_tells_no_confidence_is_not_sure(told):
    output, _ = await ask(["7", "7"], confidence=lambda output: told, threshold=-1e9)
    assert output.stopped == "abstained"
    output, _ = await ask(["7"], method=chat)
    assert output.stopped == "abstained"


async def test_a_call_of_a_tool_that_is_not_sure_is_not_made():
    said = iter([AssistantMessage(tool_calls=[ToolCall("1", "delete", f'{{"file": "{name}"}}')]) for name in "ab"])
    async with ScaffoldingLlm(
        CalibratedController(chat, 2, threshold=0.9), FunctionWorker(lambda task: next(said))
    ) as llm:
        output = (await llm.generate_async([UserMessage("clean up")])).output
    assert (output.message.tool_calls, output.stopped) == (None, "abstained")


async def test_time_that_is_up_while_another_is_asked_leaves_the_unsure_answer():
    settings = {"threshold": 0.9, "otherwise_controller": strong, "options": {"budget": Budget(seconds=1)}}
    output, _ = await ask(["7", "8"], "9", delays=[30], **settings)
    assert (output.text, output.stopped, output.data["kept"]) == ("7", "budget", False)


async def test_another_that_fails_ends_the_request():
    with pytest.raises(WorkerError, match="lost"):
        await ask(["7", "8"], "!", threshold=0.9, otherwise_controller=strong)


async def test_a_threshold_from_recorded_answers_makes_kept_ones_right_as_often():
    def says(task, draw):
        easy = int(task.messages[-1].text.split()[-1]) % 2
        return "7" if draw.random() < (0.9 if easy else 0.4) else str(draw.choice([1, 2, 3, 4]))

    async def answered(first, count, threshold):
        method = CalibratedController(chat, 8, answers="number", threshold=threshold)
        async with ScaffoldingLlm(method, SimulatedWorker(says)) as llm:
            return [(await llm.generate_async(f"question {each}")).output for each in range(first, first + count)]

    pairs = [(output.data["confidence"], output.answer == "7") for output in await answered(0, 300, threshold=0)]
    fresh = await answered(1000, 300, threshold=threshold_for(pairs, 0.98))
    kept = [output for output in fresh if output.data["kept"]]
    right = sum(output.answer == "7" for output in kept) / len(kept)
    of_all = sum(right for _, right in pairs) / len(pairs)
    assert right > of_all
    assert right == pytest.approx(0.98, abs=0.03)
    assert 0.3 < len(kept) / len(fresh) < 1


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": float("nan")},
        {"threshold": "high"},
        {"confidence": "votes"},
        {"otherwise_controller": "strong"},
        {"method_controller": 3},
        {"abstention": None},
        {"default_sample_num": 0},
    ],
)
def test_what_is_out_of_range_or_no_controller_is_refused(settings):
    with pytest.raises(InvalidRequestError):
        CalibratedController(chat, **settings)
