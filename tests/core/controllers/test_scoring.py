"""What rewards say: scores, verdicts and words, of one answer or of all that there are."""

import math

import pytest

from scaffolding_core import (
    BestOfNController,
    Budget,
    CancelRace,
    FunctionWorker,
    GenerationTask,
    InsufficientSamplesError,
    InvalidRequestError,
    NativeGenerationController,
    NativeRewardController,
    Outcome,
    RewardTask,
    ScaffoldingLlm,
    ScaffoldingOutput,
    WorkerError,
)
from scaffolding_core.controllers.scoring import Judgement, judged, score_of
from scaffolding_core.workers.reward import reward_worker
from tests.core.controllers.sampling.test_majority_vote import Says
from tests.core.doubles import Method

single = NativeGenerationController()


class Ranks(NativeRewardController):
    """Compares samples: the score of each is its rank by length among all."""

    compares_samples = True
    asked = ()

    def process(self, tasks, **options):
        type(self).asked = [task.output_str for task in tasks]
        lengths = yield from super().process(tasks)
        return [sorted(lengths).index(length) for length in lengths]


def length(prompt, answer):
    if answer == "unfit":
        raise ValueError("unfit")
    return len(answer)


async def length_at_once(prompt, answer):
    return len(answer)


async def best(answers, reward=length, options=None, delays=(), rewarder=None, **method):
    workers = {"generation": Says(answers, delays), "reward": reward_worker(reward)}
    controller = BestOfNController(single, rewarder or Ranks(), len(answers), **method)
    async with ScaffoldingLlm(controller, workers) as llm:
        return (await llm.generate_async("q", **(options or {}))).output


def judgement(**said):
    """What is made of a reward task that a worker filled so."""

    def fill(task):
        for name, value in said.items():
            setattr(task, name, value)

    def ask(tasks):
        judgements = yield from judged(NativeRewardController(), [RewardTask("q")])
        tasks[0].output_str, tasks[0].original = "done", judgements[0]

    with ScaffoldingLlm(Method(ask), FunctionWorker(fill)) as llm:
        return llm.generate("q").output.message.original


class TestWhatAWorkerSays:
    def test_a_verdict_and_words_stand_in_the_task(self):
        said = judgement(reward=0.2, verdict=True, feedback="well")
        assert said == Judgement(0.2, True, "well")

    def test_a_verdict_without_a_score_is_one_or_zero(self):
        assert judgement(verdict=True) == Judgement(1.0, True)
        assert judgement(verdict=False) == Judgement(0.0, False)

    def test_a_worker_may_say_them_in_its_own_parameters(self):
        said = judgement(reward=0.2, custom_output_params={"passing": False, "feedback": "bad"})
        assert said == Judgement(0.2, False, "bad")
        assert judgement(reward=0.2, custom_output_params={"passing": "yes", "feedback": ""}) == Judgement(0.2)

    def test_the_tasks_own_fields_go_before_those(self):
        other = {"passing": False, "feedback": "bad"}
        said = judgement(reward=0.2, verdict=True, feedback="well", custom_output_params=other)
        assert said == Judgement(0.2, True, "well")

    @pytest.mark.parametrize("reward", [None, float("nan"), float("inf")])
    def test_neither_a_score_nor_a_verdict_is_an_error(self, reward):
        with pytest.raises(WorkerError, match="must give a finite number"):
            score_of(RewardTask("q", reward=reward))

    def test_a_copy_of_a_task_has_no_results(self):
        task = RewardTask("q", reward=1.0, verdict=True, feedback="well").copy()
        assert (task.reward, task.verdict, task.feedback) == (None, None, None)


class TestARewardThatComparesSamples:
    async def test_it_gets_all_samples_at_once_and_its_scores_choose(self):
        output = await best(["bb", "a", "cccc", "ddd"])
        assert (output.text, output.score) == ("cccc", 3.0)
        assert [candidate.score for candidate in output.candidates] == [1.0, 0.0, 3.0, 2.0]
        assert sorted(Ranks.asked) == ["a", "bb", "cccc", "ddd"]

    async def test_a_sample_that_failed_is_not_among_them(self):
        output = await best(["bb", "!", "cccc"])
        assert [candidate.score for candidate in output.candidates] == [0.0, None, 1.0]

    async def test_where_all_failed_that_is_the_error(self):
        with pytest.raises(InsufficientSamplesError):
            await best(["!", "!"])

    async def test_where_it_fails_nothing_can_be_chosen(self):
        with pytest.raises(WorkerError, match="unfit"):
            await best(["bb", "unfit"])

    @pytest.mark.parametrize("count", [1, 3])
    async def test_scores_that_are_not_one_for_each_are_an_error(self, count):
        class Miscounts(Ranks):
            def process(self, tasks, **options):
                yield []
                return [1.0] * count

        with pytest.raises(WorkerError, match=f"Miscounts gave {count} scores for 2 answers"):
            await best(["bb", "a"], rewarder=Miscounts())

    async def test_one_that_it_cannot_score_costs_that_sample_alone(self):
        class Odd(Ranks):
            def process(self, tasks, **options):
                yield []
                return [math.nan if task.output_str == "a" else len(task.output_str) for task in tasks]

        output = await best(["bb", "a", "cccc"], rewarder=Odd())
        assert [candidate.score for candidate in output.candidates] == [2.0, None, 4.0]
        assert "the reward of Odd gave nan" in str(output.candidates[1].error)
        with pytest.raises(WorkerError, match="the reward of Odd gave nan"):
            await best(["a", "a"], rewarder=Odd())

    @pytest.mark.looptime
    async def test_where_time_is_up_before_the_earliest_sample_is_the_result(self):
        output = await best(["a", "bbb", "cc"], delays=[0, 0, 30], options={"budget": Budget(seconds=1)})
        assert (output.text, output.score, output.stopped) == ("a", None, "budget")

    @pytest.mark.looptime
    async def test_nor_does_the_score_of_a_method_inside_choose_then(self):
        inner = BestOfNController(single, NativeRewardController(), 1)
        workers = {"generation": Says(["a", "bbb", "cc"], [0, 0, 30]), "reward": reward_worker(length_at_once)}
        async with ScaffoldingLlm(BestOfNController(inner, Ranks(), 3), workers) as llm:
            output = (await llm.generate_async("q", budget=Budget(seconds=1))).output
        assert (output.text, output.score, output.stopped) == ("a", None, "budget")

    async def test_the_score_of_a_method_inside_is_none_of_its_own(self):
        inner = BestOfNController(single, NativeRewardController(), 1)
        workers = {"generation": Says(["a", "bbb"]), "reward": reward_worker(length)}
        async with ScaffoldingLlm(BestOfNController(inner, Ranks(), 2), workers) as llm:
            output = (await llm.generate_async("q")).output
        assert (output.text, output.score) == ("bbb", 1.0)

    def test_it_cannot_be_stopped_by_enough(self):
        with pytest.raises(InvalidRequestError, match="Ranks compares all samples: leave enough out"):
            BestOfNController(single, Ranks(), enough=1)


def scored_output(text, score):
    return ScaffoldingOutput(text, score=score)


def test_a_decision_is_told_before_the_rest_is_cut_and_what_ends_then_does_not_count():
    steps = BestOfNController(single, NativeRewardController(), 3, enough=5).process([GenerationTask("q")])
    race = next(steps)
    assert len([sample for sample, _ in zip(race.branches, range(3), strict=False)]) == 3
    assert steps.send(Outcome(1, scored_output("fair", 4.0))) is race
    decision = steps.send(Outcome(0, scored_output("right", 5.0)))
    assert (decision.candidate.text, decision.stopped) == ("right", "decided")
    assert isinstance(next(steps), CancelRace)
    with pytest.raises(StopIteration) as ended:
        steps.send([Outcome(2, scored_output("late", 6.0))])
    output = ended.value.value
    assert (output.text, output.stopped) == ("right", "decided")
    assert [candidate.late for candidate in output.candidates] == [False, False, True]


@pytest.mark.parametrize("left", [None, [], [float("nan")], ["high"], [[1]], [10**400], 0.5, "0.5", {"score": 1}])
async def test_a_reward_of_ones_own_without_scores_is_an_error(left):
    class Silent(NativeRewardController):
        def process(self, tasks):
            self.scores = left
            yield []

    with pytest.raises(InsufficientSamplesError, match="Silent gave .* score"):
        await best(["a"], rewarder=Silent())
