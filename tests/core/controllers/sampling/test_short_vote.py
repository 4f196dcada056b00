"""ShortVoteController: the first m of k that end with an answer vote."""

import pytest

from scaffolding_core import (
    AssistantMessage,
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    ShortVoteController,
)
from tests.core.controllers.sampling.test_majority_vote import Says

pytestmark = pytest.mark.looptime

generation = NativeGenerationController()


async def vote(answers, delays, **method):
    """The output, and how many samples were cut."""
    worker = Says(answers, delays)
    async with ScaffoldingLlm(
        ShortVoteController(generation, len(answers), answers="number", **method), worker
    ) as llm:
        return (await llm.generate_async("q")).output, worker.cut


async def test_the_first_that_end_vote_and_the_rest_is_cut():
    output, cut = await vote(["7", "8", "9", "8", "7"], [30, 20, 60, 10, 60], m=3)
    assert (output.answer, output.votes, output.agreement) == ("8", {"8": 2, "7": 1}, pytest.approx(2 / 3))
    assert (output.stopped, cut) == ("decided", 2)


async def test_a_tie_goes_to_the_shortest_thoughts_included():
    output, _ = await vote(["after long thought it is 7", "it is 8", "9"], [10, 20, 60], m=2)
    assert output.answer == "8"


async def test_thoughts_that_a_backend_tells_apart_are_of_its_length():
    said = iter([AssistantMessage("7", reasoning="for long " * 9), AssistantMessage("it is 8", reasoning="yes")])
    method = ShortVoteController(NativeChatController(), 2, m=2, answers="number")
    async with ScaffoldingLlm(method, FunctionWorker(lambda task: next(said))) as llm:
        assert (await llm.generate_async("q")).output.answer == "8"


async def test_what_fails_or_has_no_answer_is_not_among_the_first():
    output, cut = await vote(["!", "no idea", "7", "7", "8"], [10, 20, 30, 40, 60], m=2)
    assert (output.answer, output.votes, cut) == ("7", {"7": 2}, 1)


async def test_one_is_the_first_answer():
    output, cut = await vote(["7", "8", "9"], [60, 10, 60], m=1)
    assert (output.answer, cut) == ("8", 2)


async def test_fewer_samples_than_m_all_vote():
    output, _ = await vote(["7", "8", "8"], [10, 20, 30], m=9)
    assert (output.answer, output.stopped) == ("8", "complete")


async def test_without_any_answer_the_earliest_sample_is_the_result():
    output, _ = await vote(["no idea", "who knows"], [20, 10], m=1)
    assert (output.text, output.answer, output.agreement) == ("no idea", None, 0)


async def test_where_all_fail_it_says_so():
    with pytest.raises(InsufficientSamplesError):
        await vote(["!", "!"], [10, 20])


@pytest.mark.parametrize("options", [{"m": 0}, {"m": 1.5}, {"default_sample_num": 0}])
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(InvalidRequestError):
        ShortVoteController(generation, **options)
