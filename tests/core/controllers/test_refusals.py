"""Samples that decline to answer, in every method that compares answers."""

import json

import pytest

from scaffolding_core import (
    BestOfNController,
    Extractor,
    FieldVoteController,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    NativeRewardController,
    Reading,
    ScaffoldingLlm,
)
from scaffolding_core.answers import REFUSAL
from scaffolding_core.workers.reward import reward_worker
from tests.core.controllers.sampling.test_majority_vote import Says

pytestmark = pytest.mark.looptime
single = NativeGenerationController()


class Declining(Extractor):
    """Scripted: a text that begins with `no` declines, one of `?` has no answer, any other is the answer."""

    def extract(self, message):
        return self.read(message).answer

    def read(self, message):
        text = message.text
        if text.startswith("no"):
            return Reading(None, REFUSAL)
        if text == "?":
            return Reading(None)
        return Reading(json.loads(text) if text.startswith("{") else text, "said")


class Slow(Declining):
    """The same, in a thread."""

    costly = True


async def vote(*answers, delays=(), method=MajorityVoteController, extractor=None, **options):
    worker = Says(answers, delays)
    controller = method(single, len(answers), extractor=extractor or Declining(), **options)
    async with ScaffoldingLlm(controller, worker) as llm:
        return (await llm.generate_async("q")).output, worker


@pytest.mark.parametrize("extractor", [Declining(), Slow()], ids=["at once", "in a thread"])
@pytest.mark.parametrize("rule", ["full", "lossless", "beta"])
async def test_where_at_least_half_of_those_that_vote_decline_the_refusal_is_the_result_whole(rule, extractor):
    output, _ = await vote("7", "no, I can't", "?", "no, I won't", stop_rule=rule, extractor=extractor)
    assert (output.text, output.answer, output.read_as) == ("no, I can't", None, REFUSAL)
    assert output.votes == {"no, I can't": 2, "7": 1}
    assert output.agreement == pytest.approx(2 / 3)
    assert [sample.votes for sample in output.candidates] == [1, 2, 0, 2]
    assert [sample.read_as for sample in output.candidates] == ["said", REFUSAL, "", REFUSAL]


async def test_of_as_many_answers_and_refusals_the_refusal_wins():
    output, _ = await vote("7", "no")
    assert (output.text, output.agreement) == ("no", 0.5)


async def test_one_answer_against_seven_refusals_is_an_accident():
    output, _ = await vote("7", *["no"] * 7, stop_rule="full")
    assert (output.text, output.answer, output.agreement) == ("no", None, 7 / 8)


async def test_fewer_refusals_give_no_answer_and_count_in_the_agreement():
    output, _ = await vote("no", "7", "8", "7", "no", stop_rule="full")
    assert (output.answer, output.agreement) == ("7", 2 / 5)
    assert output.votes == {"7": 2, "no": 2, "8": 1}


async def test_the_most_frequent_answer_wins_though_more_samples_decline():
    output, _ = await vote("no", "no", "no", "7", "8", "9", "8", stop_rule="full")
    assert (output.answer, output.agreement) == ("8", 2 / 7)
    assert list(output.votes.items()) == [("8", 2), ("no", 3), ("7", 1), ("9", 1)]


async def test_the_earliest_refusal_is_the_result_whichever_arrives_first_or_is_worded_more_often():
    output, _ = await vote("no, sorry", "no", "no", "no", delays=[1, 0, 0, 0], stop_rule="full")
    assert output.text == "no, sorry"


async def test_refusals_settle_a_vote_and_cut_the_rest():
    output, worker = await vote(*["no"] * 40, stop_rule="beta")
    assert (output.stopped, worker.started) == ("decided", 4)
    output, worker = await vote(*["no"] * 4, "7", "7", "7", "7", delays=[0, 0, 0, 0, 9, 9, 9, 9])
    assert (output.text, output.stopped, worker.cut) == ("no", "decided", 4)


async def test_samples_that_fail_vote_for_nothing():
    output, _ = await vote("!", "!", "7", "no", "7")
    assert output.answer == "7"


async def test_a_vote_of_one_may_be_a_refusal():
    output, _ = await vote("no")
    assert (output.text, output.answer, output.read_as) == ("no", None, REFUSAL)
    assert (output.votes, output.agreement) == ({"no": 1}, 1)


async def test_a_vote_over_votes_takes_their_refusals_for_refusals():
    inner = MajorityVoteController(single, 2, extractor=Declining(), stop_rule="full")
    worker = Says(["no", "no", "7", "7", "no", "no"])
    outer = MajorityVoteController(inner, 3, extractor=Declining(), stop_rule="full")
    async with ScaffoldingLlm(outer, worker) as llm:
        output = (await llm.generate_async("q")).output
    assert (output.text, output.agreement) == ("no", pytest.approx(2 / 3))


async def test_a_vote_of_ones_own_may_build_on_the_vote_with_refusals():
    class AsItIs(MajorityVoteController):
        def majority_vote(self, candidates_tasks, **options):
            return super().majority_vote(candidates_tasks, **options)

    output, _ = await vote("7", "no, I can't", "no", method=AsItIs)
    assert (output.text, output.answer) == ("no, I can't", None)
    output, _ = await vote("7", "no", "7", "?", method=AsItIs)
    assert (output.text, output.answer) == ("7", "7")


@pytest.mark.parametrize("extractor", [Declining(), Slow()], ids=["at once", "in a thread"])
async def test_in_a_field_vote_half_the_samples_decline_for_every_field(extractor):
    ada = json.dumps({"name": "Ada", "age": 36})
    output, _ = await vote(ada, "no, sorry", "?", "no", method=FieldVoteController, extractor=extractor)
    assert (output.text, output.answer, output.read_as) == ("no, sorry", None, REFUSAL)
    assert output.agreement == pytest.approx(2 / 3)
    assert output.data == {"fields": {}}


async def test_in_a_field_vote_fewer_refusals_count_in_the_agreement_of_each_field():
    ada, bob = json.dumps({"name": "Ada", "age": 36}), json.dumps({"name": "Bob", "age": 36})
    output, _ = await vote(ada, "no", bob, ada, method=FieldVoteController, stop_rule="full")
    assert output.answer == {"name": "Ada", "age": 36}
    assert output.data == {"fields": {"name": 2 / 4, "age": 3 / 4}}
    assert output.agreement == pytest.approx(5 / 8)


async def test_a_field_vote_that_refusals_settle_cuts_the_rest():
    output, worker = await vote(*["no"] * 4, "{}", "{}", delays=[0, 0, 0, 0, 9, 9], method=FieldVoteController)
    assert (output.text, output.stopped, worker.cut) == ("no", "decided", 2)


async def test_refusals_count_in_the_support_of_the_best_of_n_and_choose_nothing():
    method = BestOfNController(single, NativeRewardController(), 4, answers=(Declining(), None))
    workers = {
        "generation": Says(["no", "7", "no", "8"]),
        "reward": reward_worker(lambda prompt, answer: {"7": 2.0}.get(answer, 1.0)),
    }
    async with ScaffoldingLlm(method, workers) as llm:
        output = (await llm.generate_async("q")).output
    assert (output.text, output.score, output.agreement) == ("7", 2.0, 1 / 4)
    assert output.votes == {"no": 2, "7": 1, "8": 1}


async def test_an_extractor_that_finds_no_structure_is_no_refusal():
    with pytest.raises(InvalidRequestError, match="extract"):
        FieldVoteController(single, extractor=Declining)
    output, _ = await vote("plain", "text", method=FieldVoteController)
    assert (output.answer, output.read_as, output.agreement) == (None, "", 0)
