"""Options of a request, roles and defaults: what goes to the method, and what a wrapped LLM never sees.

On scripted LLMs that keep what they were called with.
"""

import time

import pytest

from llamaindex_scaffolding import ScaffoldingLLM, ScaffoldingQueryEngine, with_best_of_n, with_majority_vote
from scaffolding_core import (
    ANSWER_OPTIONS,
    REQUEST_OPTIONS,
    BestOfNController,
    Budget,
    Controller,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    MissingWorkerError,
    NativeGenerationController,
    NativeRewardController,
)
from tests.llamaindex.doubles import ScriptedLLM
from tests.llamaindex.engines import KnownEngine

GIVEN = {
    "budget": Budget(tokens=10_000),
    "deadline": time.monotonic() + 3600,
    "priority": 3,
    "seed": 7,
    "metadata": {"user": "me"},
    "trace": True,
    "answers": "number",
}


async def test_a_wrapped_llm_never_gets_options_of_the_request_nor_of_what_is_compared():
    inner = ScriptedLLM(answers=["7"])
    llm = ScaffoldingLLM.wrap(inner, sample_num=3, method_options={"stop_rule": "full"})
    llm.complete("q", **GIVEN)
    await llm.acomplete("q", **GIVEN)
    assert len(inner.record.kwargs) == 6
    names = (REQUEST_OPTIONS | ANSWER_OPTIONS) - {"seed"}
    assert not any(names & kwargs.keys() for kwargs in inner.record.kwargs)
    seeds = {kwargs["seed"] for kwargs in inner.record.kwargs}
    assert len(seeds) == 3
    assert GIVEN["seed"] not in seeds


@pytest.mark.parametrize("name", sorted(ANSWER_OPTIONS))
def test_what_a_method_without_answers_cannot_take_is_refused(name):
    inner = ScriptedLLM(answers=["7"])
    with pytest.raises(InvalidRequestError, match=name):
        ScaffoldingLLM.wrap(inner, "direct").complete("q", **{name: "number"})
    assert inner.record.calls == []


class Reviewed(Controller):
    """An answer, and behind it what a critic says of it."""

    def __init__(self):
        self.generation = NativeGenerationController()
        self.critic = NativeGenerationController(role="critic")

    def process(self, tasks):
        yield from self.generation.process(tasks)
        words = tasks[0].copy()
        yield from self.critic.process([words])
        tasks[0].output_str += f", {words.output_str}"
        tasks[0].original = None


class TestRoles:
    @pytest.mark.parametrize("critic", [ScriptedLLM(answers=["no"]), FunctionWorker(lambda task: "no")])
    async def test_an_llm_or_a_worker_plays_one(self, critic):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["7"]), Reviewed(), roles={"critic": critic})
        assert llm.complete("q").text == "7, no"
        assert (await llm.acomplete("q")).text == "7, no"
        engine = ScaffoldingQueryEngine(KnownEngine("7"), Reviewed(), roles={"critic": critic})
        assert engine.query("q").response == "7, no"

    def test_one_that_nobody_plays_is_said_when_the_llm_is_made(self):
        with pytest.raises(MissingWorkerError, match="Reviewed needs .* 'critic': pass roles="):
            ScaffoldingLLM.wrap(ScriptedLLM(answers=["7"]), Reviewed())
        with pytest.raises(MissingWorkerError, match="Reviewed needs .* 'critic': pass roles="):
            ScaffoldingQueryEngine(KnownEngine("7"), Reviewed())

    def test_one_that_scores_takes_whatever_a_reward_may_be(self):
        def length(prompt, answer):
            return float(len(answer))

        by_steps = BestOfNController(
            NativeGenerationController(), NativeRewardController(role="process_reward"), 2
        )
        for method, role in (("best_of_n", "reward"), (by_steps, "process_reward")):
            llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["7", "seven"]), method, roles={role: length})
            assert llm.complete("q").text == "seven"

    def test_a_stream_shows_nothing_that_is_decided_on_the_way_to_the_answer(self):
        roles = {"strong": ScriptedLLM(answers=["42"])}
        cascade = ScaffoldingLLM.wrap(ScriptedLLM(answers=["7", "8"]), "cascade", sample_num=2, roles=roles)
        assert "".join(chunk.delta for chunk in cascade.stream_complete("q")) == "42"

    async def test_llms_in_numbered_ones_take_turns_at_the_samples(self):
        llms = [ScriptedLLM(answers=[answer]) for answer in ("7", "8", "8")]
        roles = {"generation.1": llms[1], "generation.2": llms[2]}
        voting = ScaffoldingLLM.wrap(llms[0], sample_num=3, roles=roles, method_options={"stop_rule": "full"})
        assert voting.complete("q").text == "8"
        assert (await voting.acomplete("q")).text == "8"
        assert [len(llm.record.calls) for llm in llms] == [2, 2, 2]

    @pytest.mark.parametrize("roles", [["critic"], {"critic": None}, {"critic": 3}])
    def test_what_cannot_play_one_is_refused(self, roles):
        with pytest.raises(InvalidRequestError, match="roles must map|nobody plays|needs a worker"):
            ScaffoldingLLM.wrap(ScriptedLLM(answers=["7"]), Reviewed(), roles=roles)

    def test_they_have_to_be_given_again_with_data(self):
        critic = FunctionWorker(lambda task: "no")
        data = ScaffoldingLLM("direct", worker=None, roles={"critic": critic}).to_dict()
        with pytest.raises(InvalidRequestError, match="in 'roles' is not in the data: pass roles="):
            ScaffoldingLLM.from_dict(data)
        assert ScaffoldingLLM.from_dict(data, roles={"critic": critic}).roles == {"critic": critic}


def test_without_a_number_of_samples_a_method_takes_its_own():
    inner = NativeGenerationController()
    for llm, method in (
        (with_majority_vote(ScriptedLLM(answers=["7"])), MajorityVoteController(inner)),
        (
            with_best_of_n(ScriptedLLM(answers=["7"]), lambda prompt, answer: 1.0),
            BestOfNController(inner, NativeRewardController()),
        ),
    ):
        assert llm.sample_num is None
        assert llm.complete("q").raw["samples"] <= method.default_sample_num


def test_best_of_n_draws_as_many_samples_as_the_method_itself():
    inner = ScriptedLLM(answers=["7"])
    with_best_of_n(inner, lambda prompt, answer: 1.0).complete("q")
    assert (
        len(inner.record.calls)
        == BestOfNController(NativeGenerationController(), NativeRewardController()).default_sample_num
    )
