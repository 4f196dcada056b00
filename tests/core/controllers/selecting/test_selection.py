"""Methods whose judge selects among samples: knockout, pivot tournament, GenSelect, universal self-consistency."""

import asyncio
import math
import re
from itertools import chain

import pytest

from scaffolding_core import METHODS as METHODS_BY_NAME
from scaffolding_core import (
    AssistantMessage,
    AuthenticationError,
    Budget,
    FunctionWorker,
    GenSelectController,
    InsufficientSamplesError,
    InvalidRequestError,
    KnockoutController,
    NativeChatController,
    PivotTournamentController,
    ScaffoldingLlm,
    SimulatedWorker,
    TokenLogprob,
    ToolCall,
    UniversalVoteController,
    UserMessage,
    build_method,
)
from scaffolding_core.controllers.selecting.pivots import comparisons
from tests.core.controllers.sampling.test_majority_vote import Says

pytestmark = pytest.mark.looptime
METHODS = [KnockoutController, PivotTournamentController, GenSelectController, UniversalVoteController]
every_method = pytest.mark.parametrize("method", METHODS)


def shown(task):
    """The answers that a judge was shown, in order."""
    asked = task.messages[-1].text
    return re.findall(r"<answer \w+ (\w+)>\n(.*?)\n</answer \w+ \1>", asked, re.DOTALL)


def texts(task):
    return [text for _, text in shown(task)]


def worth(text):
    return int(re.search(r"\d+", text)[0])


class Judge:
    """Prefers the answer with the higher number, in whatever form it is asked; records what it was shown."""

    def __init__(self, worth=worth, says=None, takes=0.0):
        self.worth, self.says, self.takes = worth, says, takes
        self.asked = []

    async def __call__(self, task):
        answers = texts(task)
        self.asked.append(answers)
        await asyncio.sleep(self.takes)
        said = None if self.says is None else self.says(answers)
        if isinstance(said, Exception):
            raise said
        return self._verdict(task.messages[-1].text, answers) if said is None else said

    def _verdict(self, asked, answers):
        worths = [self.worth(each) for each in answers]
        if "Choice:" in asked:
            return f"They differ.\nChoice: {worths.index(max(worths)) + 1}"
        if "Scores:" in asked:
            return f"Scores: A {worths[0]}, B {worths[1]}"
        return f"Verdict: {'tie' if worths[0] == worths[1] else 'A' if worths[0] > worths[1] else 'B'}"


async def select(method, says, judge, *, options=None, delays=(), **settings):
    controller = method(NativeChatController(), len(says), **settings)
    workers = {"generation": Says(says, delays), "judge": FunctionWorker(judge)}
    async with ScaffoldingLlm(controller, workers) as llm:
        return (await llm.generate_async("q", **(options or {}))).output


@every_method
class TestAll:
    async def test_the_judges_favourite_wins_whole(self, method):
        output = await select(method, ["so 3", "so 9", "so 5", "so 1"], Judge())
        assert (output.text, output.method, output.stopped) == ("so 9", method.__name__, "complete")
        assert (output.data["by"], output.data["failed"], output.samples) == ("judge", 0, 4)
        assert output.score == output.candidates[1].score == max(c.score or 0 for c in output.candidates)

    async def test_what_the_judge_costs_is_in_the_usage(self, method):
        judge = Judge()
        output = await select(method, ["so 3", "so 9", "so 5"], judge)
        assert output.usage_by_role["judge"].calls == len(judge.asked) >= output.data["judged"] > 0

    async def test_one_answer_and_answers_of_the_same_text_need_no_judge(self, method):
        for answers in (["so 3"], ["so 3"] * 4):
            judge = Judge()
            output = await select(method, answers, judge)
            assert (output.text, output.data, judge.asked) == (
                "so 3",
                {"by": "vote", "judged": 0, "failed": 0},
                [],
            )
            assert (output.agreement, output.score) == (1.0, None)

    async def test_a_judge_that_fails_or_says_nothing_leaves_it_to_the_vote(self, method):
        for said in (RuntimeError("down"), "I cannot tell."):
            output = await select(
                method, ["it is 3", "so 9", "so it is 9", "so 5"], Judge(says=lambda _, said=said: said)
            )
            assert (output.text, output.data["by"], output.data["judged"]) == ("so 9", "vote", 0)
            assert output.data["failed"] > 0

    async def test_a_judge_whose_key_is_refused_ends_the_request(self, method):
        with pytest.raises(AuthenticationError):
            await select(method, ["so 3", "so 9"], Judge(says=lambda _: AuthenticationError("no")))

    async def test_a_sample_that_fails_costs_that_sample_alone(self, method):
        output = await select(method, ["so 3", "!", "so 9"], Judge())
        assert (output.text, output.candidates[1].error is None) == ("so 9", False)
        with pytest.raises(InsufficientSamplesError):
            await select(method, ["so 3", "!", "so 9"], Judge(), min_samples=3)

    async def test_what_has_no_answer_is_not_shown_unless_none_has_one(self, method):
        judge = Judge(worth=len)
        output = await select(method, ["so 3", "no idea at all", "so 19"], judge, answers="number")
        assert output.text == "so 19"
        assert "no idea at all" not in chain(*judge.asked)
        output = await select(method, ["who knows", "no idea at all"], Judge(worth=len), answers="number")
        assert (output.text, output.answer, output.agreement) == ("no idea at all", None, 0)

    async def test_where_half_decline_the_first_of_them_is_the_result(self, method):
        judge = Judge()
        refusal = "I'm sorry, but I can't help with that."
        output = await select(method, [refusal, "so 3", refusal, "so 5"], judge)
        assert (output.text, judge.asked) == (refusal, [])

    async def test_time_that_is_up_before_a_verdict_leaves_it_to_the_vote(self, method):
        budget = {"budget": Budget(seconds=1)}
        output = await select(method, ["it is 3", "so 9", "so it is 9"], Judge(takes=30), options=budget)
        assert (output.text, output.stopped, output.data["by"]) == ("so 9", "budget", "vote")

    async def test_thoughts_of_an_answer_are_not_shown(self, method):
        judge = Judge()
        await select(method, ["<think>7 or 8</think>so 3", "so 9"], judge)
        assert sorted({*chain(*judge.asked)}) == ["so 3", "so 9"]

    async def test_a_chat_keeps_its_prompt_and_the_judge_sees_all_of_it(self, method):
        judge = Judge()
        seen = []

        async def watched(task):
            seen.append(task.messages[-1].text)
            return await judge(task)

        controller = method(NativeChatController(), 2)
        workers = {"generation": Says(["so 3", "so 9"]), "judge": FunctionWorker(watched)}
        chat = [UserMessage("first?"), AssistantMessage("yes"), UserMessage("and then?")]
        async with ScaffoldingLlm(controller, workers) as llm:
            assert (await llm.generate_async(chat)).output.text == "so 9"
        assert all("first?" in each and "and then?" in each for each in seen)

    async def test_a_sample_that_wants_a_tool_called_is_handed_on_whole(self, method):
        call = ToolCall("1", "look", '{"at": 9}')
        said = iter([AssistantMessage("so 3"), AssistantMessage(tool_calls=[call])])
        controller = method(NativeChatController(), 2)
        workers = {"generation": FunctionWorker(lambda task: next(said)), "judge": FunctionWorker(Judge())}
        async with ScaffoldingLlm(controller, workers) as llm:
            output = (await llm.generate_async([UserMessage("q")])).output
        assert output.message.tool_calls == [call]

    async def test_the_judge_is_greedy_unless_one_is_given_made_by_name_or_not(self, method):
        name = next(row.name for row in METHODS_BY_NAME.values() if row.constructor is method)
        asked = []

        async def judge(task):
            asked.append((task.temperature, task.max_tokens))
            return await Judge()(task)

        for made in (method(NativeChatController(), 2), build_method(name, sample_num=2)):
            workers = {"generation": Says(["so 3", "so 9"]), "judge": FunctionWorker(judge)}
            async with ScaffoldingLlm(made, workers) as llm:
                await llm.generate_async("q")
        assert set(asked) == {(0.0, 1024 if method is GenSelectController else 32)}

    def test_numbers_out_of_range_and_what_is_no_controller_are_refused(self, method):
        for settings in ({"default_sample_num": 0}, {"min_samples": 0}, {"judge_controller": 3}, {"longest": 0}):
            with pytest.raises(InvalidRequestError):
                method(NativeChatController(), **settings)
        with pytest.raises(InvalidRequestError):
            method(len)


class TestKnockout:
    async def test_each_two_are_compared_in_both_orders_in_rounds(self):
        judge = Judge()
        output = await select(KnockoutController, ["so 3", "so 9", "so 5", "so 1"], judge)
        assert sorted(judge.asked[:4]) == [["so 1", "so 5"], ["so 3", "so 9"], ["so 5", "so 1"], ["so 9", "so 3"]]
        assert sorted(judge.asked[4:]) == [["so 5", "so 9"], ["so 9", "so 5"]]
        assert [c.score for c in output.candidates] == [pytest.approx(score) for score in (1 / 3, 1, 2 / 3, 0)]

    async def test_a_judge_that_always_prefers_the_first_decides_nothing(self):
        output = await select(KnockoutController, ["so 3", "so 9"], Judge(says=lambda _: "Verdict: A"))
        assert (output.text, output.data["by"]) == ("so 3", "judge")

    async def test_time_that_is_up_between_rounds_leaves_the_best_so_far(self):
        answers = ["so 3", "so 9", "so 5", "so 1"]
        output = await select(KnockoutController, answers, Judge(takes=1), options={"budget": Budget(seconds=1.5)})
        assert (output.text, output.stopped, output.data["by"]) == ("so 9", "budget", "judge")

    async def test_what_can_be_compared_with_nothing_is_out(self):
        def says(answers):
            return RuntimeError("too long") if "so 9" in answers else None

        output = await select(KnockoutController, ["so 9", "so 3", "so 5", "so 1"], Judge(says=says))
        assert output.text == "so 5"

    async def test_where_nobody_is_left_it_is_left_to_the_vote(self):
        def says(answers):
            return None if {*answers} == {"so 9", "so 3"} else RuntimeError("too long")

        output = await select(KnockoutController, ["so 9", "so 3", "so 5", "it is 5"], Judge(says=says))
        assert output.data == {"by": "vote", "judged": 1, "failed": 3}
        assert output.text == "so 5"


class TestPivotTournament:
    @pytest.mark.parametrize("n", [2, 3, 5, 8])
    async def test_it_asks_as_often_as_it_says(self, n):
        judge = Judge()
        output = await select(PivotTournamentController, [f"so {number + 1}" for number in range(n)], judge)
        assert output.text == f"so {n}"
        assert len(judge.asked) == comparisons(n, 2) == output.data["judged"]

    async def test_comparisons_of_a_phase_run_at_the_same_time(self):
        answers = [f"so {number + 1}" for number in range(6)]
        budget = {"budget": Budget(seconds=2.5)}
        output = await select(PivotTournamentController, answers, Judge(takes=1), options=budget)
        assert (output.stopped, output.data["judged"]) == ("complete", comparisons(6, 2))

    async def test_time_that_is_up_after_the_ring_leaves_the_best_of_the_ring(self):
        answers = ["so 3", "so 9", "so 5", "so 1"]
        budget = {"budget": Budget(seconds=1.5)}
        output = await select(PivotTournamentController, answers, Judge(takes=1), options=budget)
        assert (output.text, output.stopped, output.data["judged"]) == ("so 9", "budget", 4)

    async def test_a_bias_for_a_position_cancels(self):
        def biased(answers):
            first, second = map(worth, answers)
            return f"Scores: A {first + 10}, B {second}"

        for order in (["so 3", "so 9", "so 5", "so 1"], ["so 9", "so 5", "so 3", "so 1"]):
            output = await select(PivotTournamentController, order, Judge(says=biased))
            assert output.text == "so 9"

    async def test_a_comparison_that_fails_counts_for_nobody(self):
        def says(answers):
            return RuntimeError("lost") if answers == ["so 9", "so 5"] else None

        output = await select(PivotTournamentController, ["so 3", "so 9", "so 5"], Judge(says=says))
        assert (output.text, output.data) == ("so 9", {"by": "judge", "judged": 5, "failed": 1})

    async def test_a_seed_shuffles_the_ring_and_the_same_seed_the_same_way(self):
        async def ring(seed):
            judge = Judge()
            answers = [f"so {number}" for number in range(1, 9)]
            await select(PivotTournamentController, answers, judge, options={"seed": seed})
            return judge.asked[:8]

        assert await ring(7) == await ring(7) != await ring(8)
        assert (await ring(None))[0] == ["so 1", "so 2"]

    async def test_the_preference_is_the_logistic_of_the_difference_of_the_expected_scores(self):
        def says(answers):
            top = (("19", math.log(0.5)), ("1", math.log(0.5)))
            sure = [TokenLogprob(text, 0.0, ((text, 0.0),)) for text in ("Scores: A ", ", B ", "10")]
            said = AssistantMessage("Scores: A 19, B 10")
            said.logprobs = [sure[0], TokenLogprob("19", math.log(0.5), top), *sure[1:]]
            return said if answers == ["so 3", "so 9"] else "Scores: A 10, B 10"

        output = await select(PivotTournamentController, ["so 3", "so 9"], Judge(says=says))
        assert [c.score for c in output.candidates] == [pytest.approx(0.5), pytest.approx(0.5)]

    async def test_log_probabilities_that_are_no_numbers_leave_it_to_the_scores_as_written(self):
        def says(answers):
            said = AssistantMessage("Scores: A 19, B 10")
            nan = float("nan")
            said.logprobs = [
                TokenLogprob("Scores: A ", 0.0),
                TokenLogprob("19", nan, (("19", nan),)),
                TokenLogprob(", B ", 0.0),
                TokenLogprob("10", 0.0, (("10", 0.0),)),
            ]
            return said if answers == ["so 3", "so 9"] else "Scores: A 1, B 20"

        output = await select(PivotTournamentController, ["so 3", "so 9"], Judge(says=says))
        assert output.text == "so 3"
        assert output.score == pytest.approx((1 / (1 + math.exp(-9 / 19)) + 1 / (1 + math.exp(-1))) / 2)

    @pytest.mark.parametrize("settings", [{"pivots": 0}, {"scale": 1}, {"scale": 2.5}])
    def test_numbers_out_of_range_are_refused(self, settings):
        with pytest.raises(InvalidRequestError):
            PivotTournamentController(NativeChatController(), **settings)


class TestGenSelect:
    async def test_more_than_a_window_meet_in_groups_and_those_named_meet_again(self):
        judge = Judge()
        answers = [f"so {number}" for number in (3, 9, 5, 1, 7)]
        output = await select(GenSelectController, answers, judge, window=3)
        assert judge.asked == [["so 3", "so 9"], ["so 5", "so 1", "so 7"], ["so 9", "so 7"]]
        assert output.text == "so 9"

    async def test_the_same_text_is_shown_once(self):
        judge = Judge()
        await select(GenSelectController, ["so 3", "so 9", "so 3"], judge)
        assert judge.asked == [["so 3", "so 9"]]

    async def test_of_a_group_without_a_choice_the_answer_goes_on_that_most_give(self):
        def says(answers):
            return "I cannot tell." if "so 5" in answers else None

        answers = ["so 5", "so 7", "so 3", "so 4", "so it is 7"]
        judge = Judge(says=says)
        output = await select(GenSelectController, answers, judge, window=3)
        assert judge.asked[-1] == ["so 7", "so it is 7"]
        assert (output.text, output.data["by"]) == ("so 7", "judge")

    async def test_one_named_in_a_later_round_goes_before_one_named_before(self):
        def says(answers):
            return "I cannot tell." if "so 5" in answers and "so 1" in answers else None

        output = await select(GenSelectController, ["so 3", "so 4", "so 5", "so 1"], Judge(says=says), window=2)
        assert output.text == "so 5"

    async def test_time_that_is_up_between_rounds_leaves_one_that_was_named(self):
        answers = [f"so {number}" for number in (3, 9, 5, 1)]
        budget = {"budget": Budget(seconds=1.5)}
        output = await select(GenSelectController, answers, Judge(takes=1), window=2, options=budget)
        assert (output.text, output.stopped, output.data["judged"]) == ("so 9", "budget", 2)

    async def test_the_judge_is_asked_for_reasons(self):
        seen = []

        async def judge(task):
            seen.append(task)
            return "The second is right.\nChoice: answer 2"

        output = await select(GenSelectController, ["so 3", "so 9"], judge)
        assert output.text == "so 9"
        assert seen[0].max_tokens == 1024

    def test_a_window_of_one_is_refused(self):
        with pytest.raises(InvalidRequestError, match="window"):
            GenSelectController(NativeChatController(), window=1)


class TestUniversalSelfConsistency:
    async def test_every_sample_is_shown_at_once_the_same_text_as_often_as_it_was_given(self):
        judge = Judge()
        await select(UniversalVoteController, ["so 3", "so 9", "so 3"], judge)
        assert judge.asked == [["so 3", "so 9", "so 3"]]

    async def test_a_number_that_no_answer_has_is_asked_for_again(self):
        judge = Judge(says=lambda answers: "Choice: 5")
        output = await select(UniversalVoteController, ["so 3", "so 9"], judge)
        assert (len(judge.asked), output.data["by"]) == (2, "vote")


class TestInTheLong:
    """With a judge that is right in a comparison with a given probability, and in a given position more often."""

    QUESTIONS = 150

    async def right(self, method, n, p, *, bias=0.0, **settings):
        """The share of the questions in which the only good answer of n wins, and the judgements of each."""

        def judge(task, draw):
            first, second = (text.startswith("good") for text in texts(task))
            good_first = p + bias if first else 1 - p + bias
            prefers_first = draw.random() < (good_first if first != second else 0.5 + bias)
            if "Scores:" in task.messages[-1].text:
                return "Scores: A 15, B 5" if prefers_first else "Scores: A 5, B 15"
            return f"Verdict: {'A' if prefers_first else 'B'}"

        drawn = iter(range(10**6))

        def says(task):
            index = next(drawn)
            return f"{'good' if index % n == index // n % n else 'bad'} {index % n}"

        controller = method(NativeChatController(), n, **settings)
        workers = {"generation": FunctionWorker(says), "judge": SimulatedWorker(judge)}
        async with ScaffoldingLlm(controller, workers) as llm:
            outputs = [(await llm.generate_async(f"question {each}")).output for each in range(self.QUESTIONS)]
        won = sum(output.text.startswith("good") for output in outputs)
        return won / self.QUESTIONS, {output.usage_by_role["judge"].calls for output in outputs}

    async def test_more_comparisons_are_right_more_often_than_one_and_cost_what_they_say(self):
        one, calls = await self.right(PivotTournamentController, 2, 0.75)
        assert calls == {2}
        assert one == pytest.approx(0.75, abs=0.1)
        ring, calls = await self.right(PivotTournamentController, 6, 0.75, pivots=1)
        assert calls == {comparisons(6, 1)}
        all_pairs, calls = await self.right(PivotTournamentController, 6, 0.75, pivots=6)
        assert calls == {comparisons(6, 6)}
        assert 1 / 6 + 0.2 < ring < all_pairs + 0.1
        assert all_pairs > 0.5

    @pytest.mark.parametrize("method", [KnockoutController, PivotTournamentController])
    async def test_a_bias_for_a_position_costs_little_where_it_cancels(self, method):
        fair, _ = await self.right(method, 4, 0.8)
        for bias in (-0.15, 0.15):
            biased, _ = await self.right(method, 4, 0.8, bias=bias)
            assert biased > fair - 0.12
