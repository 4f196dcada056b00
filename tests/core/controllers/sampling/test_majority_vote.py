"""Majority vote."""

import asyncio
import math
import random

import pytest

from scaffolding_core import (
    Boxed,
    Budget,
    BudgetExceededError,
    CandidateEvent,
    ChainOfThoughtController,
    DecisionEvent,
    FromFunction,
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    MajorityVoteController,
    Mathematical,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    TokenEvent,
    UserMessage,
    WorkerError,
)
from scaffolding_core.voting import Beta, Tally, winner
from scaffolding_core.worker import Worker
from tests.core.doubles import Backend

pytestmark = pytest.mark.looptime
single = NativeGenerationController()


class Says(Worker):
    """Scripted answers, by the order in which samples start; `!` fails. Scripted, since votes need known ones."""

    def __init__(self, answers, delays=()):
        self.answers = list(answers)
        self.delays = list(delays)
        self.started = 0
        self.cut = 0
        self.seeds = []

    async def run_task(self, task):
        index = self.started
        self.started += 1
        self.seeds.append(task.seed)
        try:
            await asyncio.sleep(self.delays[index] if index < len(self.delays) else 0)
        except asyncio.CancelledError:
            self.cut += 1
            raise
        answer = self.answers[index % len(self.answers)]
        if answer == "!":
            raise ConnectionError("lost")
        task.output_str = answer


digits = FromFunction(lambda text: text if text.isdigit() else None)


async def vote(answers, n=None, delays=(), options=None, **method):
    worker = Says(answers, delays)
    async with ScaffoldingLlm(MajorityVoteController(single, n or len(answers), **method), worker) as llm:
        result = await llm.generate_async("q", **(options or {}))
    return result.output, worker


async def test_the_answer_given_most_often_wins_and_the_whole_sample_is_kept():
    output, _ = await vote(["it is 7", "8", "so 7", "7", "9"], stop_rule="full")
    assert output.text == "it is 7"
    assert output.answer == "7"
    assert output.votes == {"7": 3, "8": 1, "9": 1}
    assert output.agreement == pytest.approx(3 / 5)
    assert [c.votes for c in output.candidates] == [3, 1, 3, 3, 1]


async def test_samples_without_an_answer_abstain():
    output, _ = await vote(["?", r"\boxed{7}", "?", "?", r"so \boxed{7}"], extractor=Boxed())
    assert output.answer == "7"
    assert output.agreement == 1
    assert output.samples == 5


async def test_with_no_answer_at_all_the_first_sample_is_given_without_one():
    output, _ = await vote(["a", "b"], extractor=Boxed())
    assert (output.text, output.answer, output.agreement) == ("a", None, 0)


async def test_one_failed_sample_of_eight_loses_one_sample_not_the_request():
    output, _ = await vote(["7", "!", "7", "8", "7", "8", "7", "8"], stop_rule="full")
    assert output.answer == "7"
    assert isinstance(output.candidates[1].error, WorkerError)
    assert output.votes == {"7": 4, "8": 3}


async def test_too_many_failures_end_it_with_all_of_them_and_cut_the_rest():
    with pytest.raises(InsufficientSamplesError, match="2 of 4 samples failed, and at least 3") as caught:
        await vote(["!", "!", "7", "7"], delays=[0, 0, 30, 30], min_samples=3)
    assert len(caught.value.failures) == 2


async def test_what_would_fail_alike_for_each_sample_fails_at_once():
    class Refuses(Worker):
        pass

    async with ScaffoldingLlm(MajorityVoteController(single, 4), Refuses()) as llm:
        with pytest.raises(InvalidRequestError, match="Refuses cannot run"):
            await llm.generate_async("q")


async def test_what_still_runs_when_it_is_decided_is_cut():
    output, worker = await vote(["7"] * 6, delays=[0, 0, 0, 0, 30, 30])
    assert output.stopped == "decided"
    assert worker.started == 6
    assert worker.cut == 2
    assert [c.cut for c in output.candidates] == [False] * 4 + [True] * 2


async def test_samples_start_as_they_are_needed_so_that_an_early_stop_saves_work():
    output, worker = await vote(["7"] * 16, stop_rule="beta")
    assert worker.started == output.samples == 4
    _, worker = await vote(["7"] * 16, stop_rule="beta", run_ahead=2)
    assert worker.started > 4
    _, worker = await vote(["7"] * 40)
    assert worker.started == 32
    _, worker = await vote(["7"] * 40, run_ahead=1)
    assert worker.started == 21
    _, worker = await vote(["7"] * 40, stop_rule="beta", run_ahead=math.inf)
    assert worker.started == 40


async def test_up_to_16_samples_start_at_once_and_who_pays_by_the_sample_may_choose_otherwise():
    output, worker = await vote(["7"] * 16, delays=[*range(1, 17)])
    assert (output.samples, output.counted, output.cut, worker.cut) == (16, 9, 7, 7)
    output, worker = await vote(["7"] * 16, delays=[*range(1, 17)], run_ahead=1)
    assert (output.samples, output.counted, output.cut, worker.cut) == (9, 9, 0, 0)


async def test_it_tells_what_was_started_what_counted_and_what_was_cut():
    output, _ = await vote(["7", "!", "?", "8", "7", "7", "7"], delays=[0, 0, 0, 0, 0, 0, 9], extractor=digits)
    assert (output.samples, output.counted, output.cut) == (7, 5, 1)
    assert [c.counted for c in output.candidates] == [True, False, True, True, True, True, False]
    told = output.summary()
    assert (told["samples"], told["counted"], told["cut"]) == (7, 5, 1)


async def test_what_ends_in_time_and_is_not_counted_came_late():
    """Of a rule that reads in index order: the samples behind the decision, however fast they are."""
    output, _ = await vote(["7"] * 40, delays=[*[1] * 4, *[0] * 36], stop_rule="beta", run_ahead=2)
    assert (output.stopped, output.counted, output.cut) == ("decided", 4, 0)
    assert [c.index for c in output.candidates if c.late] == [*range(4, output.samples)]
    assert output.votes == {"7": 4}


async def test_what_ends_as_the_vote_is_decided_came_late():
    output, _ = await vote(["7"] * 3)
    assert (output.stopped, output.counted, output.cut) == ("decided", 2, 0)
    assert [c.late for c in output.candidates] == [False, False, True]


async def test_speed_does_not_move_the_accuracy_of_a_stopped_vote():
    """On a virtual clock, with wrong answers in half, the same, and twice the time of right ones.

    Four times as many samples run as would settle the vote, so that fast ones could crowd out slow ones.
    """
    right = {}
    by_arrival = {}
    for pace in (0.5, 1.0, 2.0):
        rng = random.Random(3)
        right[pace] = by_arrival[pace] = 0
        for _ in range(150):
            answers = ["7" if rng.random() < 0.55 else rng.choice("89") for _ in range(40)]
            delays = [rng.lognormvariate(0, 0.3) * (1 if answer == "7" else pace) for answer in answers]
            output, _ = await vote(answers, delays=delays, stop_rule="beta", run_ahead=4)
            counted = [c for c in output.candidates if c.votes]
            assert [c.index for c in counted] == list(range(len(counted)))
            right[pace] += output.answer == "7"
            by_arrival[pace] += stopped_in_order_of_arrival(answers, delays) == "7"
    assert right[0.5] == right[1.0] == right[2.0]
    # What the rule is there for: read in order of arrival, the same draws give another accuracy at each pace.
    assert by_arrival[0.5] < by_arrival[1.0] < by_arrival[2.0]
    assert by_arrival[0.5] < right[0.5] - 30


def stopped_in_order_of_arrival(answers, delays):
    seen = Tally()
    order = sorted(range(len(answers)), key=delays.__getitem__)
    for place, index in enumerate(order):
        seen.add(int(answers[index]))
        if Beta().decided(seen, len(answers) - place - 1):
            break
    return str(winner(dict(enumerate(seen.choices))))


async def test_a_budget_that_ends_lets_all_that_is_there_vote():
    output, worker = await vote(
        ["7", "8", "8", "8"], delays=[30, 0, 0, 30], stop_rule="beta", options={"budget": Budget(seconds=0.05)}
    )
    assert (output.answer, output.stopped) == ("8", "budget")
    assert worker.cut == 2


async def test_a_budget_of_samples_votes_among_those_it_allows():
    output, _ = await vote(["7", "8", "8", "7"], options={"budget": Budget(samples=3)})
    assert (output.answer, output.stopped) == ("8", "budget")


async def test_a_vote_over_votes_that_the_budget_ended_says_so():
    inner = MajorityVoteController(single, 2, stop_rule="full")
    worker = Says(["7"], delays=[0, 30, 0, 30])
    async with ScaffoldingLlm(MajorityVoteController(inner, 2, stop_rule="full"), worker) as llm:
        output = (await llm.generate_async("q", budget=Budget(seconds=0.05))).output
    assert (output.answer, output.votes, output.stopped) == ("7", {"7": 2}, "budget")


class CutMidway(Worker):
    """Its first samples finish; the others have written a part of another answer when time is up."""

    def __init__(self, whole):
        self.whole = whole

    async def run_task(self, task):
        self.whole -= 1
        task.output_str = "the answer is 12"
        if self.whole < 0:
            await asyncio.sleep(30)
        task.output_str, task.finish_reason = "the answer is 123", "stop"


@pytest.mark.parametrize("method", [single, NativeChatController(), ChainOfThoughtController(single)])
async def test_a_sample_that_the_deadline_cuts_midway_never_votes(method):
    time_is_up = Budget(seconds=0.05)
    async with ScaffoldingLlm(MajorityVoteController(method, 4), CutMidway(1)) as llm:
        output = (await llm.generate_async("q", budget=time_is_up)).output
    assert (output.answer, output.votes, output.stopped) == ("123", {"123": 1}, "budget")
    assert sum(isinstance(c.error, BudgetExceededError) for c in output.candidates) == 3

    async with ScaffoldingLlm(MajorityVoteController(method, 4), CutMidway(0)) as llm:
        with pytest.raises(BudgetExceededError):
            await llm.generate_async("q", budget=time_is_up)


@pytest.mark.parametrize("method", [single, ChainOfThoughtController(single)])
async def test_a_part_of_a_text_has_no_answer(method):
    for lone in (method, MajorityVoteController(method, 1)):
        async with ScaffoldingLlm(lone, CutMidway(0)) as llm:
            output = (await llm.generate_async("q", budget=Budget(seconds=0.05))).output
        assert (output.text, output.answer, output.stopped) == ("the answer is 12", None, "budget")
        assert not output.agreement


async def test_samples_that_never_began_are_not_among_the_candidates():
    output, _ = await vote(["7", "8", "8", "7"], options={"budget": Budget(samples=3)})
    assert [c.index for c in output.candidates] == [0, 1, 2]

    worker = Says(["7"], delays=[0.01] * 8)
    worker.max_concurrency = 2
    async with ScaffoldingLlm(MajorityVoteController(single, 8, run_ahead=3), worker) as llm:
        output = (await llm.generate_async("q")).output
    assert worker.started == output.samples < 8
    assert output.usage.calls == output.usage.lost_calls == worker.cut


async def test_sample_num_is_an_option_of_each_request():
    worker = Says(["7"])
    async with ScaffoldingLlm(MajorityVoteController(single), worker) as llm:
        output = (await llm.generate_async("q", sample_num=1)).output
        assert (output.samples, output.answer) == (1, "7")
        for wrong in (0, -1, 1.5, "3", True):
            with pytest.raises(InvalidRequestError, match="sample_num"):
                await llm.generate_async("q", sample_num=wrong)


async def test_a_seed_gives_each_sample_one_of_its_own_and_the_same_ones_again():
    _, first = await vote(["7"] * 4, options={"seed": 5}, stop_rule="full")
    _, again = await vote(["7"] * 4, options={"seed": 5}, stop_rule="full")
    _, other = await vote(["7"] * 4, options={"seed": 6}, stop_rule="full")
    assert len({*first.seeds, *other.seeds}) == 8
    assert first.seeds == again.seeds


async def test_equal_answers_need_not_be_written_alike():
    output, _ = await vote(["1,000", "$1000", "8", "1e3"], stop_rule="full")
    assert output.votes == {"1,000": 3, "8": 1}


async def test_a_number_in_common_does_not_make_two_answers_one():
    output, _ = await vote(["It takes 5 minutes.", "It takes 5 hours.", "5 hours", "5"], stop_rule="full")
    assert output.votes == {"5 minutes": 2, "5 hours": 2}
    output, _ = await vote(["Yes, 51 is prime.", "No, 51 is 3 times 17.", "No."], stop_rule="full")
    assert output.votes == {"No": 2, "Yes": 1}


async def test_mathematics_decides_which_answers_are_equal():
    output, _ = await vote(
        [r"\boxed{x+1}", r"\boxed{2}", r"\boxed{1+x}"], extractor=Boxed(), equivalence=Mathematical()
    )
    assert output.answer == "x+1"
    assert output.votes == {"x+1": 2, "2": 1}


async def test_an_extractor_that_raises_fails_the_request_with_its_own_error():
    with pytest.raises(KeyError):
        await vote(["7"] * 3, extractor=FromFunction(lambda text: {}[text]))


async def test_votes_of_votes_nest():
    worker = Says(["7", "7", "8", "8", "8", "7", "7", "7", "8"])
    inner = MajorityVoteController(single, 3, stop_rule="full")
    async with ScaffoldingLlm(MajorityVoteController(inner, 3, stop_rule="full"), worker) as llm:
        output = (await llm.generate_async("q")).output
    assert worker.started == 9
    assert output.answer == "7"


async def test_a_vote_of_ones_own_sees_every_sample():
    class Shortest(MajorityVoteController):
        def majority_vote(self, candidates_tasks, **options):
            texts = [tasks[0].output_str for tasks in candidates_tasks]
            index = min(range(len(texts)), key=lambda i: len(texts[i]))
            return index, texts[index]

    worker = Says(["long answer", "short", "longer answer"])
    async with ScaffoldingLlm(Shortest(single, 3), worker) as llm:
        assert (await llm.generate_async("q")).output.answer == "short"


async def test_events_tell_each_sample_and_the_decision():
    worker = Says(["7", "8", "7"])
    async with ScaffoldingLlm(MajorityVoteController(single, 3), worker) as llm:
        events = [event async for event in llm.stream("q")]
    assert sum(isinstance(e, CandidateEvent) for e in events) == 3
    (decision,) = (e for e in events if isinstance(e, DecisionEvent))
    assert decision.candidate.answer == "7"


async def test_tokens_of_samples_carry_their_branch():
    async with ScaffoldingLlm(MajorityVoteController(single, 3), Backend()) as llm:
        events = [event async for event in llm.stream("say:7")]
    assert {e.branch for e in events if isinstance(e, TokenEvent)} <= {(0,), (1,), (2,)}


async def test_chats_are_voted_on_too():
    worker = FunctionWorker(lambda task: f"{task.messages[-1].content}: 7")
    async with ScaffoldingLlm(MajorityVoteController(NativeChatController(), 3), worker) as llm:
        assert (await llm.generate_async([UserMessage("how many")])).text == "how many: 7"
        assert (await llm.generate_async("plain")).text == "plain: 7"


@pytest.mark.parametrize(
    "wrong", [{"default_sample_num": 0}, {"run_ahead": 0.5}, {"stop_rule": "soon"}, {"min_samples": 0}]
)
def test_parameters_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidRequestError):
        MajorityVoteController(single, **wrong)
