"""Rewards out of the log probabilities of a sample's own tokens, on simulated samples that have them."""

import math

import pytest

from scaffolding_core import (
    BanditRoutingController,
    BeamSearchController,
    BestOfNController,
    Capabilities,
    CascadeController,
    DvtsController,
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    MajorityVoteController,
    MctsController,
    NativeChatController,
    NativeGenerationController,
    ParticleFilteringController,
    ParticleGibbsController,
    PlanSearchController,
    ReflexionController,
    RetryWithFeedbackController,
    ScaffoldingLlm,
    SequentialRevisionController,
    SimulatedWorker,
    TokenLogprob,
    WeightedVoteController,
    WorkerError,
    resolve_reward,
)
from scaffolding_core.controllers.judging import CombinedReward, OwnConfidence

pytestmark = pytest.mark.looptime
LOGPROBS = {"sure 7": -0.05, "so 8": -0.5, "or 8": -0.5}


def told(text, source):
    return LOGPROBS[text]


def drawn(*texts, **given):
    left = list(texts)
    return SimulatedWorker(lambda task, source: left.pop(0), logprob=told, **given)


async def chosen(method, worker, **options):
    async with ScaffoldingLlm(method, worker) as llm:
        return (await llm.generate_async("q", **options)).output


def reward(name, **options):
    return resolve_reward({"kind": name, **options}).controller


@pytest.mark.parametrize("name", ["likelihood", "self_certainty"])
async def test_best_of_n_ranks_by_it(name):
    method = BestOfNController(NativeGenerationController(), reward(name), 3)
    output = await chosen(method, drawn("so 8", "sure 7", "or 8"))
    assert output.text == "sure 7"
    assert [candidate.score for candidate in output.candidates][1] == output.score


async def test_likelihood_is_the_geometric_mean_and_its_sharpness_a_power():
    for sharpness in (1, 4):
        method = BestOfNController(NativeGenerationController(), reward("likelihood", sharpness=sharpness), 1)
        assert (await chosen(method, drawn("so 8"))).score == pytest.approx(math.exp(-0.5 * sharpness))


async def test_a_vote_weighs_by_it():
    async def answer(**options):
        method = WeightedVoteController(
            NativeGenerationController(), reward("likelihood", **options), 3, answers="number"
        )
        return (await chosen(method, drawn("so 8", "sure 7", "or 8"))).answer

    assert await answer() == "8"
    assert await answer(sharpness=4) == "7"


async def test_samples_ask_for_it_where_their_task_does_not_say():
    asked = []

    def answer(task, source):
        asked.append(task.num_logprobs)
        return "sure 7"

    method = BestOfNController(NativeGenerationController(), reward("self_certainty", num_logprobs=5), 1)
    for options in ({}, {"num_logprobs": 9}):
        await chosen(method, SimulatedWorker(answer), **options)
    assert asked == [5, 9]


REWARDED = {
    "best_of_n": lambda reward: BestOfNController(NativeGenerationController(), reward, 2),
    "weighted_vote": lambda reward: WeightedVoteController(NativeGenerationController(), reward, 2),
    "retry_with_feedback": lambda reward: RetryWithFeedbackController(
        NativeGenerationController(), reward, 1, passing=2
    ),
    "reflexion": lambda reward: ReflexionController(NativeGenerationController(), reward, 1, passing=2),
    "bandit_routing": lambda reward: BanditRoutingController(NativeGenerationController(), reward),
    "cascade": lambda reward: CascadeController(
        NativeGenerationController(), NativeGenerationController(), 2, reward_controller=reward
    ),
    "sequential_revision": lambda reward: SequentialRevisionController(
        NativeGenerationController(), 2, reward_controller=reward
    ),
    "plan_search": lambda reward: PlanSearchController(NativeGenerationController(), 2, reward_controller=reward),
    "beam_search": lambda reward: BeamSearchController(NativeGenerationController(), reward, 2, width=1),
    "dvts": lambda reward: DvtsController(NativeGenerationController(), reward, 2),
    "particle_filtering": lambda reward: ParticleFilteringController(NativeGenerationController(), reward, 2),
    "particle_gibbs": lambda reward: ParticleGibbsController(NativeGenerationController(), reward, 2),
}


@pytest.mark.parametrize("name", REWARDED)
class TestEveryMethodThatTakesAReward:
    async def test_asks_for_the_log_probabilities_that_it_reads(self, name):
        worker = SimulatedWorker({"sure 7": 1}, logprob=-0.5)
        output = await chosen(REWARDED[name](reward("likelihood")), worker)
        assert output.score == pytest.approx(math.exp(-0.5))
        assert all(candidate.error is None for candidate in output.candidates)

    def test_is_refused_with_a_worker_that_tells_none(self, name):
        mute = FunctionWorker(lambda task: "7", capabilities=Capabilities(tools=True))
        with pytest.raises(InvalidRequestError, match="needs logprobs"):
            ScaffoldingLlm(REWARDED[name](reward("likelihood")), mute)


@pytest.mark.parametrize("name", ["retry_with_feedback", "reflexion", "bandit_routing"])
async def test_samples_that_ask_for_it_stay_siblings(name):
    groups = []

    def answer(task, source):
        groups.append(task.group)
        return "sure 7"

    vote = MajorityVoteController(REWARDED[name](reward("likelihood")), 3, stop_rule="full")
    await chosen(vote, SimulatedWorker(answer, logprob=-0.5))
    assert groups[0] is groups[1] is groups[2]
    assert groups[0] is not None


async def test_whoever_else_is_asked_the_same_is_not_asked_for_them():
    asked = []

    def strong(task):
        asked.append(task.num_logprobs)
        return "8"

    weak = NativeGenerationController()
    by_likelihood = {"threshold": 0.9, "reward_controller": reward("likelihood")}
    method = CascadeController(weak, weak.of_role("strong"), 2, **by_likelihood)
    workers = {"generation": SimulatedWorker({"7": 1}, logprob=-0.5), "strong": FunctionWorker(strong)}
    assert (await chosen(method, workers)).text == "8"
    assert asked == [None]


def test_a_search_whose_paths_have_none_refuses_it():
    with pytest.raises(InvalidRequestError, match="a path tells no log probabilities"):
        ScaffoldingLlm(MctsController(NativeGenerationController(), evaluator=reward("likelihood")), drawn("7"))


async def test_the_same_words_thought_otherwise_are_scored_apart():
    worker = SimulatedWorker({"7": 1}, logprob=lambda text, source: -source.random())
    output = await chosen(BestOfNController(NativeGenerationController(), reward("likelihood"), 4), worker)
    assert len({candidate.score for candidate in output.candidates}) == 4


async def test_a_part_of_a_combined_reward_has_them_too():
    parts = [reward("likelihood"), reward("self_certainty", num_logprobs=3)]
    method = BestOfNController(NativeGenerationController(), CombinedReward(parts), 2)
    assert (await chosen(method, drawn("so 8", "sure 7"))).text == "sure 7"
    assert CombinedReward(parts).num_logprobs == 3
    assert CombinedReward([reward("exact", reference="7")]).num_logprobs is None


async def test_a_sample_without_them_costs_itself():
    answers = iter(["mute", "sure 7"])

    def backend(task):
        said = next(answers)
        task.output_str, task.finish_reason = said, "stop"
        if said != "mute":
            task.logprobs = [TokenLogprob("7", -0.1)]

    method = BestOfNController(NativeGenerationController(), reward("likelihood"), 2)
    output = await chosen(method, FunctionWorker(backend))
    assert output.text == "sure 7"
    assert isinstance(output.candidates[0].error, WorkerError)


async def test_where_no_sample_has_them_it_says_so():
    method = BestOfNController(NativeGenerationController(), reward("likelihood"), 2)
    with pytest.raises(InsufficientSamplesError, match="told no log probabilities"):
        await chosen(method, FunctionWorker(lambda task: "7"))


@pytest.mark.parametrize("generation", [NativeGenerationController(), NativeChatController(role="writer")])
async def test_a_worker_that_tells_none_is_refused_when_it_is_assembled(generation):
    worker = FunctionWorker(lambda task: "7", capabilities=Capabilities(tools=True))
    with pytest.raises(InvalidRequestError, match="needs logprobs"):
        ScaffoldingLlm(
            BestOfNController(generation, reward("likelihood"), 2), {"generation": worker, "writer": worker}
        )


@pytest.mark.parametrize("wrong", [{"num_logprobs": 1}, {"num_logprobs": 2.5}, {"sharpness": 2}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidRequestError):
        reward("self_certainty", **wrong)


def test_a_sharpness_is_a_number():
    with pytest.raises(InvalidRequestError):
        reward("likelihood", sharpness="high")
    with pytest.raises(InvalidRequestError, match="a function of tokens"):
        OwnConfidence(3)
