"""BanditRoutingController: each request goes to a member of the panel, and what it earned is learnt."""

import asyncio
from collections import Counter

import pytest

from scaffolding_core import (
    Arm,
    BackendUnavailableError,
    Bandit,
    BanditRoutingController,
    Budget,
    Controller,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    PairwiseJudge,
    PanelController,
    Recording,
    RecordingWorker,
    ReplayWorker,
    ScaffoldingLlm,
    SimulatedWorker,
    WorkerError,
)
from scaffolding_core.adapting import Backend

panel = PanelController({name: NativeGenerationController(role=name) for name in ("small", "large")})


class Right(Controller):
    """1 for the answer "right", 0 for others; a worker's error where the answer is an error's name."""

    def process(self, tasks):
        yield []
        if tasks[0].output_str == "unjudged":
            raise WorkerError("no score")
        return [float(tasks[0].output_str == "right") for _ in tasks]


def known(small, large):
    """A bandit that is as good as sure what each earns."""
    return Bandit({"small": Arm(1_000, 1_000 * small), "large": Arm(1_000, 1_000 * large)})


def says(answer):
    def answered(task):
        if isinstance(answer, Exception):
            raise answer
        return answer

    return FunctionWorker(answered)


async def routed(method, small="wrong", large="right", requests=1, **options):
    async with ScaffoldingLlm(method, {"small": says(small), "large": says(large)}) as llm:
        results = await asyncio.gather(*(llm.generate_async("q", **options) for _ in range(requests)))
    return [result.output for result in results]


async def test_the_member_that_earns_most_answers_and_the_bandit_learns_of_it():
    bandit = known(0.1, 0.9)
    (output,) = await routed(BanditRoutingController(panel, Right(), bandit=bandit))
    assert (output.text, output.score, output.method) == ("right", 1.0, "BanditRoutingController")
    assert output.data == {"route": "large"}
    assert bandit.arms["large"] == Arm(1_001, 901, 0)


async def test_a_member_may_be_any_method_and_tells_what_it_has_to_tell():
    class Telling(MajorityVoteController):
        def process(self, tasks, **options):
            output = yield from super().process(tasks, **options)
            output.data = {"more": 1}
            return output

    members = {"small": Telling(panel.members["small"], 3), "large": panel.members["large"]}
    method = BanditRoutingController(PanelController(members), Right(), bandit=known(0.9, 0.1))
    (output,) = await routed(method)
    assert output.data == {"route": "small", "told": {"more": 1}}
    assert len(output.candidates) >= 2


async def test_without_a_reward_whoever_uses_the_answer_tells_the_bandit():
    bandit = known(0.1, 0.9)
    (output,) = await routed(BanditRoutingController(panel, None, bandit=bandit))
    assert (output.score, bandit.arms["large"].told) == (None, 1_000)
    bandit.tell(output.data["route"], 1.0)
    assert bandit.arms["large"].told == 1_001


async def test_a_member_that_fails_earned_nothing():
    bandit = known(0.1, 0.9)
    with pytest.raises(BackendUnavailableError):
        await routed(BanditRoutingController(panel, Right(), bandit=bandit), large=BackendUnavailableError("gone"))
    assert bandit.arms["large"] == Arm(1_001, 900, 0)


async def test_an_answer_that_nobody_could_score_stands_and_teaches_nothing():
    bandit = known(0.1, 0.9)
    (output,) = await routed(BanditRoutingController(panel, Right(), bandit=bandit), large="unjudged")
    assert (output.text, output.score, bandit.arms["large"].told) == ("unjudged", None, 1_000)


async def test_a_reward_that_no_bandit_learns_from_is_said():
    class Length(Controller):
        def process(self, tasks):
            yield []
            return [len(task.output_str) for task in tasks]

    with pytest.raises(InvalidRequestError, match="from 0 to 1, got 5"):
        await routed(BanditRoutingController(panel, Length(), bandit=known(0.1, 0.9)))


@pytest.mark.looptime
class TestOverManyRequests:
    async def answered(self, price, requests=300):
        workers = {
            "small": SimulatedWorker({"right": 7, "wrong": 3}, tokens=10, seed=1),
            "large": SimulatedWorker({"right": 9, "wrong": 1}, tokens=1_000, seed=2),
        }
        method = BanditRoutingController(panel, Right(), price=price)
        async with ScaffoldingLlm(method, workers, max_parallel_requests=8) as llm:
            results = await asyncio.gather(*(llm.generate_async(f"q{i}") for i in range(requests)))
        return Counter(result.output.data["route"] for result in results), method.bandit

    async def test_the_better_member_answers_most_also_where_requests_run_at_the_same_time(self):
        routes, bandit = await self.answered(price=0.0)
        assert routes["large"] > 0.7 * 300
        assert {name: arm.told for name, arm in bandit.arms.items()} == routes

    async def test_with_a_price_the_cheaper_one_does(self):
        routes, bandit = await self.answered(price={"small": 1e-4, "large": 5e-4})
        assert routes["small"] > 0.9 * 300
        assert bandit.arms["small"].tokens == routes["small"] * 11  # the prompt has one

    async def test_an_answer_that_the_deadline_cuts_teaches_nothing(self):
        bandit = known(0.1, 0.9)
        worker = SimulatedWorker({"right " * 10: 1}, seconds_per_token=1)
        method = BanditRoutingController(panel, Right(), bandit=bandit)
        async with ScaffoldingLlm(method, worker) as llm:
            output = (await llm.generate_async("q", budget=Budget(seconds=5))).output
        assert (output.stopped, output.data) == ("budget", {"route": "large"})
        assert bandit.arms["large"].told == 1_000


async def test_a_recorded_request_replays_with_the_bandit_as_it_was():
    workers = {"small": says("wrong"), "large": says("right")}
    bandit, recording = Bandit(), Recording()
    for _ in range(5):
        saved = bandit.to_dict()
        recording = Recording()
        recorded = {role: RecordingWorker(worker, recording) for role, worker in workers.items()}
        async with ScaffoldingLlm(BanditRoutingController(panel, Right(), bandit=bandit), recorded) as llm:
            output = (await llm.generate_async("q", seed=1)).output
        again = BanditRoutingController(panel, Right(), bandit=Bandit.from_dict(saved))
        async with ScaffoldingLlm(again, ReplayWorker(recording)) as llm:
            replayed = (await llm.generate_async("q", seed=1)).output
        assert replayed.summary() == output.summary()
        assert again.bandit.to_dict() == bandit.to_dict()


def test_by_name_models_of_numbered_roles_are_chosen_among():
    bandit = Bandit({"generation": Arm(1_000, 0), "generation.1": Arm(1_000, 1_000)})
    roles = {"generation.1": says("right"), "reward": lambda prompt, answer: float(answer == "right")}
    backend = Backend(says("wrong"), roles=roles)
    try:
        output = backend.llm("bandit_routing", {"bandit": bandit}).generate("q").output
    finally:
        backend.close()
    assert (output.text, output.data, output.score) == ("right", {"route": "generation.1"}, 1.0)
    assert bandit.arms["generation.1"].told == 1_001


async def test_one_alone_is_as_a_panel_of_one():
    method = BanditRoutingController(NativeChatController(role="large"), Right())
    (output,) = await routed(method)
    assert output.data == {"route": "generation"}
    assert method.bandit.arms == {"generation": Arm(1, 1.0, 0)}


async def test_a_reward_that_compares_answers_is_refused():
    with pytest.raises(InvalidRequestError, match="compares samples"):
        await routed(BanditRoutingController(panel, PairwiseJudge()))


@pytest.mark.parametrize("options", [{"bandit": {}}, {"price": -1}, {"price": {"small": "much"}}])
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(InvalidRequestError):
        BanditRoutingController(panel, None, **options)
