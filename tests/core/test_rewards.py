"""Rewards: whatever a user says for one, resolved to what a method is given."""

import asyncio
import sys
from pathlib import Path

import pytest

from scaffolding_core import (
    REWARDS,
    BestOfNController,
    CombinedReward,
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    MissingWorkerError,
    ModelNotFoundError,
    NativeChatController,
    NativeRewardController,
    RetryWithFeedbackController,
    RewardTask,
    ScaffoldingLlm,
    Usage,
    WorkerError,
    resolve_reward,
)
from scaffolding_core.adapting import Backend
from scaffolding_core.controllers.judging import VerifiedReward
from scaffolding_core.rewards import RewardKind
from tests.eventually import until
from tests.servers.reward_servers import Vllm, made, serve

LOWEST = -sys.float_info.max
EXACT = {"kind": "exact", "reference": "7", "answers": "number"}


def says(*texts):
    left = list(texts)
    return FunctionWorker(lambda task: left.pop(0))


def length(prompt, answer):
    return len(answer)


async def alength(prompt, answer):
    return len(answer)


def broken(prompt, answer):
    raise ValueError("no scale")


class AsksJudge(NativeRewardController):
    """A judge of a model's words, as short as can be: the number that the role says."""

    def __init__(self, role="judge"):
        super().__init__()
        self.judge = NativeChatController(role=role)

    def process(self, tasks):
        asked = [RewardTask.for_answer(task) if not isinstance(task, RewardTask) else task for task in tasks]
        scores = []
        for task in asked:
            chat = yield from self.judge.generate(f"judge: {task.response.text}")
            scores.append(float(chat.text))
        return scores


def output(reward, *texts, method="best_of_n", roles=None, worker=None, **options):
    given = {"sample_num": len(texts), **options} if method == "best_of_n" else options
    backend = Backend(worker or says(*texts), reward, roles=roles)
    try:
        return backend.llm(method, given).generate("q").output
    finally:
        backend.close()


def test_the_readmes_table_is_that_of_the_rows():
    rows = [
        f"| `{row.name}` | {row.summary} | {row.cost} | {', '.join(f'`{role}`' for role in row.roles)} |"
        for row in REWARDS.values()
    ]
    table = "\n".join(["| reward | scores | cost | needs |", "| --- | --- | --- | --- |", *rows])
    assert f"\n{table}\n" in (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.parametrize(
    ("reward", "best", "score"),
    [
        (EXACT, "7", 1.0),
        ({"kind": "regex", "pattern": "^3+$"}, "333", 1.0),
        ({"kind": "unit_tests", "tests": ["assert 333 == 333", ["1 + 1", 2]]}, "22", 1.0),
        (length, "333", 3.0),
        (alength, "333", 3.0),
        (FunctionWorker(lambda task: -len(task.response.text)), "7", -1.0),
        (NativeRewardController(role="mine"), "333", 3.0),
        (CombinedReward([length, EXACT], weights=[1, 9]), "7", 1.0),
        ({"kind": "combined", "rewards": [EXACT, {"kind": "combined", "rewards": [length]}]}, "333", 1.5),
        ({"kind": "combined", "rewards": [EXACT, alength], "by": "minimum"}, "7", 1.0),
        (
            {"kind": "combined", "rewards": [{"kind": "regex", "pattern": "."}, length], "by": "lexical"},
            "333",
            1.0,
        ),
    ],
    ids=[
        *("exact", "regex", "unit tests", "function", "async function", "worker", "controller"),
        *("weights", "nested", "minimum", "lexical"),
    ],
)
def test_whatever_is_said_for_a_reward_scores_each_sample(reward, best, score):
    told = output(reward, "22", "7", "333", roles={"mine": FunctionWorker(lambda task: len(task.response.text))})
    assert (told.text, told.score) == (best, score)


def test_each_sample_tells_what_its_reward_says():
    by_steps = FunctionWorker(lambda task: setattr(task, "step_rewards", [0.5]) or 0.5)
    told = output(by_steps, "7").candidates[0]
    assert (told.score, told.step_scores, told.verdict, told.feedback) == (0.5, [0.5], None, None)
    failed = output(EXACT, "8").candidates[0]
    assert (failed.score, failed.verdict) == (0.0, False)
    assert failed.summary()["feedback"] == failed.feedback == "the answer '8' is not right"


def test_a_retry_gets_the_feedback_of_a_verifier_and_of_all_that_are_combined():
    asked = []

    def answer(task):
        asked.append(task.messages[-1].text)
        return "8" if len(asked) == 1 else "7"

    reward = {"kind": "combined", "rewards": [EXACT, {"kind": "regex", "pattern": "^7$"}]}
    told = output(reward, method="retry_with_feedback", worker=FunctionWorker(answer))
    assert told.text == "7"
    assert "'8' is not right\nthe text does not match" in asked[1]


def test_a_reward_by_name_reaches_each_part_of_a_method_that_asks_its_role():
    inner = RetryWithFeedbackController(NativeChatController(), NativeRewardController(), 1)
    told = output(EXACT, "8", "9", "8", "7", method=BestOfNController(inner, NativeRewardController(), 2))
    assert (told.text, told.score) == ("7", 1.0)


@pytest.mark.parametrize("alone", [True, False])
def test_a_judge_asks_its_role_and_the_generation_where_nobody_plays_it(monkeypatch, alone):
    row = RewardKind(name="mine", constructor=AsksJudge, summary="", cost="", roles=("judge",))
    monkeypatch.setattr("scaffolding_core.rewards.REWARDS", {**REWARDS, "mine": row})

    def answer(task):
        return "3" if task.messages[-1].text.startswith("judge:") else "an answer"

    told = output("mine", "", worker=FunctionWorker(answer), roles=None if alone else {"judge": says("5")})
    assert (told.text, told.score) == ("an answer", 3.0 if alone else 5.0)
    assert {role: usage.calls for role, usage in told.usage_by_role.items()} == {"generation": 1, "judge": 1}
    assert told.usage.calls == 2


def test_a_pipeline_cannot_judge_so_somebody_has_to():
    with pytest.raises(MissingWorkerError, match=r"needs a worker for the role 'judge': pass roles=\{'judge': "):
        Backend(says("7"), CombinedReward([AsksJudge()]), can_judge=False).llm("best_of_n", {})


def test_a_reward_is_assembled_by_hand_as_well():
    scorer = resolve_reward({"kind": "combined", "rewards": [length, EXACT]})
    workers = {"generation": says("22", "7"), **scorer.workers}
    with ScaffoldingLlm(BestOfNController(NativeChatController(), scorer.controller, 2), workers) as llm:
        assert llm.generate("q").output.score == 1.0


async def test_an_address_is_a_reward_model_that_is_closed_with_who_made_it():
    with serve(Vllm()) as one, serve(made(Vllm, models=("prm",))) as two:
        parts = [one.url, {"kind": two.url, "model": "prm", "route": "score"}, EXACT]
        backend = Backend(says("22", "7"), {"kind": "combined", "rewards": parts})
        told = (await backend.llm("best_of_n", {"sample_num": 2}).generate_async("q")).output
        await backend.aclose()
        assert (told.text, told.score) == ("7", pytest.approx((0.01 + 0.01 + 1) / 3))
        await until(lambda: one.connected == two.connected == 0)
    assert {"/v1/models", "/score"} >= set(two.routes)
    with pytest.raises(InvalidRequestError, match="http://one:1 does not take these options: .*'modle'"):
        resolve_reward({"kind": "http://one:1", "modle": "prm"})


def test_a_weighted_vote_sums_the_rewards_of_equal_answers():
    scores = {"It is 7": 0.2, "Surely 9": 0.9, "hm": 1.0, "So 7.0": 0.3, "Then 5": 0.4}

    def weight(prompt, answer):
        return scores[answer]

    told = output(weight, *scores, method="weighted_vote", sample_num=5, answers="number", worker=says(*scores))
    assert (told.text, told.votes) == ("Surely 9", {"9": 1, "7": 2, "5": 1})
    assert told.data["weights"] == {"9": 0.9, "7": 0.5, "5": 0.4}
    assert told.agreement == pytest.approx(0.5)
    alone = output(length, "hm", "hmm", method="weighted_vote", answers="number", sample_num=2)
    assert (alone.text, alone.agreement) == ("hmm", 0.0)


@pytest.mark.parametrize(
    ("scores", "agreement"),
    [([5, -4], 1.0), ([5, 5, -9], 0.5), ([-1, -2], 0.0), ([1.7e308, 1.7e308], 0.5), ([LOWEST, LOWEST], 0.0)],
    ids=str,
)
def test_the_agreement_of_a_weighted_vote_is_a_share_whatever_the_rewards(scores, agreement):
    by_answer = {str(number): score for number, score in enumerate(scores)}
    told = output(
        lambda prompt, answer: by_answer[answer],
        *by_answer,
        method="weighted_vote",
        answers="number",
        sample_num=len(scores),
    )
    assert told.agreement == agreement


def test_the_lowest_rewards_that_there_are_sum_to_numbers():
    same = output(
        lambda prompt, answer: LOWEST, "7", "It is 7", method="weighted_vote", answers="number", sample_num=2
    )
    assert same.data["weights"] == {"7": LOWEST}
    both = {"kind": "combined", "rewards": [lambda prompt, answer: LOWEST, lambda prompt, answer: LOWEST]}
    assert output(both, "7").score == LOWEST


class TestBadRewards:
    @pytest.mark.parametrize(
        ("reward", "told"),
        [
            ("jury", "no reward is named 'jury'; there are: judge, "),
            ({"kind": "exact", "refrence": "7"}, "'exact' does not take these options: .*'refrence'"),
            ({"reference": "7"}, "names its 'kind'"),
            ({"kind": "combined", "rewards": [], "by": "minimum"}, "at least one reward"),
            ({"kind": "combined", "rewards": ["jury"]}, "no reward is named 'jury'"),
            (
                {"kind": "combined", "rewards": [length], "by": "luck"},
                "by must be one of weights, minimum, lexical",
            ),
            (CombinedReward, "must be one of .*, got type"),
            (len, r"called with prompt and answer, which len\(obj, /\) does not take"),
            (lambda *, prompt, answer: 1.0, "does not take: too many positional arguments"),
        ],
    )
    def test_one_that_makes_no_sense_is_refused_before_anything_runs(self, reward, told):
        with pytest.raises(InvalidRequestError, match=told):
            Backend(says("7"), reward)

    @pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], [1, float("nan")], [1.7e308, 1.7e308], "12"])
    def test_weights_are_numbers_one_for_each(self, weights):
        with pytest.raises(InvalidRequestError, match="weights must be"):
            CombinedReward([length, length], weights=weights)

    @pytest.mark.parametrize(
        ("reward", "told"),
        [
            (broken, "broken.*no scale"),
            (lambda prompt, answer: float("inf"), "lambda.*inf"),
            (lambda prompt, answer: None, "lambda.*NoneType"),
            ({"kind": "combined", "rewards": [length, broken]}, "broken, of the combined reward.*no scale"),
        ],
    )
    def test_a_sample_that_cannot_be_scored_is_lost_alone_and_the_error_names_the_reward(self, reward, told):
        with pytest.raises(InsufficientSamplesError, match=told) as raised:
            output(reward, "7", "8")
        assert all(isinstance(each, WorkerError) for each in raised.value.failures)

        def odd(prompt, answer):
            return float("nan") if answer == "333" else len(answer)

        lost = output(odd, "22", "333", "7")
        assert (lost.text, lost.candidates[1].score) == ("22", None)
        assert "odd" in str(lost.candidates[1].error)

    @pytest.mark.parametrize("method", ["best_of_n", "weighted_vote"])
    @pytest.mark.parametrize(
        "combined",
        [
            {"rewards": ["pairwise_judge"]},
            {"by": "lexical"},
            {"rewards": [{"kind": "combined", "rewards": [alength]}], "by": "lexical"},
        ],
        ids=["beside one that compares", "lexical", "lexical of combined"],
    )
    def test_nor_do_others_pay_for_it_where_samples_are_compared(self, combined, method):
        def odd(prompt, answer):
            return float("nan") if answer == "333" else len(answer)

        reward = {"kind": "combined", **combined, "rewards": [odd, *combined.get("rewards", ())]}
        judge = FunctionWorker(lambda task: "Verdict: A")
        told = output(
            reward,
            "22",
            "333",
            "7",
            method=method,
            sample_num=3,
            worker=says("22", "333", "7"),
            roles={"judge": judge},
        )
        assert told.text == "22"
        assert [candidate.score is None for candidate in told.candidates] == [False, True, False]
        assert "odd, of the combined reward, failed" in str(told.candidates[1].error)

    @pytest.mark.parametrize("said", [True, (True, None), None])
    def test_a_verifier_of_ones_own_gives_a_verdict(self, said):
        class Verifies:
            def verify(self, message):
                return said

        with pytest.raises(InsufficientSamplesError, match="Verifies must return a Verdict, got"):
            output(VerifiedReward(Verifies()), "7")

    def test_a_part_that_fails_every_sample_alike_ends_all(self):
        asked = []

        def unserved(task):
            asked.append(task)
            raise ModelNotFoundError("no such judge")

        with pytest.raises(WorkerError, match="FunctionWorker, of the combined reward, failed: no such judge"):
            output(CombinedReward([FunctionWorker(unserved)]), "7", "8", "9", ahead=1)
        assert len(asked) == 1

    def test_a_part_without_a_worker_says_where_to_give_it(self):
        with pytest.raises(InvalidRequestError, match="'judge' has no worker here: give the combined"):
            next(CombinedReward(["judge"]).process([]).send(None).sub_gens[0])


class TestTheSameAnswer:
    async def test_it_is_scored_once_also_while_the_first_is_being_scored(self):
        scored, open_gate = [], asyncio.Event()

        async def reward(task):
            scored.append(task.response.text)
            if len(scored) == 2:
                open_gate.set()  # the first of each is being scored, and nothing else can be
            await open_gate.wait()
            task.usage = Usage(calls=1, prompt_tokens=5)
            return len(task.response.text)

        async with ScaffoldingLlm(
            BestOfNController(NativeChatController(), NativeRewardController(), 5),
            {"generation": says("7", "22", "7", "22", "7"), "reward": FunctionWorker(reward)},
        ) as llm:
            told = (await llm.generate_async("q")).output
        assert sorted(scored) == ["22", "7"]
        assert [candidate.score for candidate in told.candidates] == [1.0, 2.0, 1.0, 2.0, 1.0]
        assert told.usage.prompt_tokens == 10

    def test_it_is_scored_once_where_samples_are_compared(self):
        asked = []

        def reward(prompt, answer):
            asked.append(answer)
            return len(answer)

        told = output({"kind": "combined", "rewards": [reward], "by": "lexical"}, "7", "22", "7", "7")
        assert [candidate.score for candidate in told.candidates] == [0.0, 1.0, 0.0, 0.0]
        assert sorted(asked) == ["22", "7"]

    def test_where_its_score_failed_it_is_scored_again(self):
        asked = []

        def reward(prompt, answer):
            asked.append(answer)
            if len(asked) == 1:
                raise ValueError("once")
            return 1.0

        told = output(reward, "7", "7", "7")
        assert (told.score, len(asked)) == (1.0, 2)
        assert sorted(candidate.score or 0 for candidate in told.candidates) == [0, 1.0, 1.0]


async def test_a_fast_sample_is_scored_by_a_combined_reward_while_a_slow_one_runs_and_may_be_enough():
    async def generate(task):
        texts.append(0)
        if len(texts) > 1:
            await asyncio.Event().wait()  # until it is cut
        return "7"

    texts = []
    backend = Backend(FunctionWorker(generate), {"kind": "combined", "rewards": [EXACT, alength]})
    llm = backend.llm("best_of_n", {"sample_num": 3, "enough": 1.0})
    told = (await llm.generate_async("q")).output
    await backend.aclose()
    assert (told.text, told.score, told.stopped) == ("7", 1.0, "decided")
