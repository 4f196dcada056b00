"""Two, then think: two cheap samples, and a costly method only where they differ."""

import pytest

from scaffolding_core import (
    AssistantMessage,
    AuthenticationError,
    Budget,
    BudgetExceededError,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    SimulatedWorker,
    ToolCall,
    ToolDescription,
    TwoThenThinkController,
    UserMessage,
    WorkerError,
)
from tests.core.controllers.sampling.test_majority_vote import Says
from tests.core.doubles import Method

pytestmark = pytest.mark.looptime
costly = NativeChatController(role="costly")


async def ask(cheap, *costly_says, delays=(), options=None, prompt="q", **method):
    """The output, and how often the costly method was asked."""
    method = {"costly_controller": costly, "answers": "number", **method}
    workers = {"generation": Says(cheap), "costly": Says(costly_says or ["!"], delays)}
    async with ScaffoldingLlm(TwoThenThinkController(NativeChatController(), **method), workers) as llm:
        output = (await llm.generate_async(prompt, **(options or {}))).output
    return output, workers["costly"].started


async def test_where_both_agree_the_first_is_the_result_whole_and_nobody_thinks():
    output, thought = await ask(["it is 7", "so 7"])
    assert (output.text, output.answer, output.agreement, output.votes) == ("it is 7", "7", 1.0, {"7": 2})
    assert (output.data, output.samples, thought) == ({"thought": False}, 2, 0)


@pytest.mark.parametrize("cheap", [["7", "8"], ["7", "no idea"], ["no idea", "no idea"], ["7", "!"], ["!", "!"]])
async def test_where_they_differ_or_one_is_missing_the_costly_method_answers(cheap):
    output, thought = await ask(cheap, "thinking, 9")
    assert (output.text, output.method, thought) == ("thinking, 9", "TwoThenThinkController", 1)
    assert output.data["thought"] is True
    assert [c.index for c in output.candidates] == [0, 1, 2]
    assert output.candidates[2].text == "thinking, 9"


async def test_the_samples_of_the_costly_method_stand_behind_the_cheap_ones():
    output, thought = await ask(
        ["7", "8"], "9", "7", "9", costly_controller=MajorityVoteController(costly, 3, stop_rule="full")
    )
    assert [c.text for c in output.candidates] == ["7", "8", "9", "7", "9"]
    assert [c.index for c in output.candidates] == [0, 1, 2, 3, 4]
    assert (output.votes, output.agreement, thought) == ({"9": 2, "7": 1}, pytest.approx(2 / 3), 3)


async def test_both_that_decline_agree():
    no = "I'm sorry, but I can't help with that."
    output, thought = await ask([no, no])
    assert (output.text, output.agreement, thought) == (no, 1.0, 0)


async def test_the_costly_method_is_a_vote_over_chains_of_thought_where_none_is_given():
    seen = []

    def answer(task):
        seen.append(task.input_str)
        return ["7", "8", "9", "9", "9"][len(seen) - 1]

    method = TwoThenThinkController(NativeGenerationController(), 3)
    async with ScaffoldingLlm(method, FunctionWorker(answer)) as llm:
        output = (await llm.generate_async("q")).output
    assert seen[:2] == ["q", "q"]
    assert len(seen) > 2
    assert all("step by step" in each for each in seen[2:])
    assert output.answer == "9"


def wants(at):
    return AssistantMessage(tool_calls=[ToolCall("1", "delete", f'{{"file": "{at}"}}')])


@pytest.mark.parametrize("agree", [True, False])
async def test_a_tool_is_called_as_both_want_it_and_where_they_differ_as_the_costly_one_wants_it(agree):
    said = iter([wants("a"), wants("a" if agree else "b")])
    asked = []

    def think(task):
        asked.append(task)
        return wants("c")

    tool = ToolDescription("delete", "Deletes a file.", {"type": "object", "properties": {"file": {}}})
    method = TwoThenThinkController(NativeChatController(tools=[tool]), costly_controller=costly)
    workers = {"generation": FunctionWorker(lambda task: next(said)), "costly": FunctionWorker(think)}
    async with ScaffoldingLlm(method, workers) as llm:
        output = (await llm.generate_async([UserMessage("clean up")])).output
    assert output.message.tool_calls == wants("a" if agree else "c").tool_calls
    assert len(asked) == (0 if agree else 1)


async def test_time_that_is_up_while_it_thinks_leaves_the_first_with_an_answer():
    budget = {"budget": Budget(seconds=1)}
    output, _ = await ask(["no idea", "so 8"], "9", delays=[30], options=budget)
    assert (output.text, output.stopped, output.data) == ("so 8", "budget", {"thought": True})
    with pytest.raises(BudgetExceededError):
        await ask(["!", "!"], "9", delays=[30], options=budget)


async def test_a_costly_method_that_fails_ends_the_request():
    with pytest.raises(WorkerError, match="lost"):
        await ask(["7", "8"], "!")


async def test_what_both_samples_would_meet_ends_the_request_before_it_thinks():
    def refused(task):
        raise AuthenticationError("no")

    method = TwoThenThinkController(NativeChatController(), costly_controller=costly)
    async with ScaffoldingLlm(method, {"generation": FunctionWorker(refused), "costly": Says(["9"])}) as llm:
        with pytest.raises(AuthenticationError):
            await llm.generate_async("q")


async def test_options_of_a_request_go_to_the_costly_method_too():
    costly_vote = MajorityVoteController(costly, 9, stop_rule="full")
    options = {"sample_num": 2, "answers": "choice"}
    output, thought = await ask(["It is (A)", "(B)"], "(C)", costly_controller=costly_vote, options=options)
    assert (output.answer, thought) == ("C", 2)


@pytest.mark.parametrize("thinks", [costly, MajorityVoteController(costly, 2, stop_rule="full")])
async def test_a_seed_is_another_for_each_sample_of_either_kind(thinks):
    cheap, deep = Says(["7", "8"]), Says(["9", "9"])
    method = TwoThenThinkController(NativeChatController(), costly_controller=thinks)
    async with ScaffoldingLlm(method, {"generation": cheap, "costly": deep}) as llm:
        await llm.generate_async("q", seed=7)
    seeds = [*cheap.seeds, *deep.seeds]
    assert len(set(seeds)) == len(seeds) > 2


async def test_a_costly_method_without_an_output_of_its_own_does():
    def answers(tasks):
        tasks[0].output_str = "so 9"
        return
        yield

    output, _ = await ask(["7", "8"], costly_controller=Method(answers))
    assert (output.text, output.candidates[2].text) == ("so 9", "so 9")


async def test_it_costs_two_samples_and_in_as_many_cases_as_they_differ_the_costly_method():
    p, n = 0.7, 400
    cheap = SimulatedWorker({"7": p, "8": 1 - p})
    deep = Says(["9"])
    method = TwoThenThinkController(NativeChatController(), costly_controller=costly, answers="number")
    async with ScaffoldingLlm(method, {"generation": cheap, "costly": deep}) as llm:
        results = [await llm.generate_async(f"question {number}") for number in range(n)]
    differ = 2 * p * (1 - p)
    assert deep.started / n == pytest.approx(differ, abs=3 * (differ * (1 - differ) / n) ** 0.5)
    assert sum(result.output.usage_by_role["generation"].calls for result in results) == 2 * n


@pytest.mark.parametrize("settings", [{"default_sample_num": 0}, {"costly_controller": 3}, {"answers": "nothing"}])
def test_what_is_out_of_range_or_no_controller_is_refused(settings):
    with pytest.raises(InvalidRequestError):
        TwoThenThinkController(NativeChatController(), **settings)
