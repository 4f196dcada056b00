"""`answers=` of the methods that compare answers: by name, as mapping or pair, for good or for one request."""

import asyncio
import json

import pytest

from scaffolding_core import (
    Answers,
    BestOfNController,
    Boxed,
    ChainOfThoughtController,
    Exact,
    FieldVoteController,
    FromFunction,
    InvalidRequestError,
    Json,
    MajorityVoteController,
    NativeGenerationController,
    NativeRewardController,
    Normalised,
    Numeric,
    RetryWithFeedbackController,
    ScaffoldingLlm,
    WholeText,
)
from scaffolding_core.answers import KINDS
from scaffolding_core.workers.reward import reward_worker
from tests.core.controllers.sampling.test_majority_vote import Says

pytestmark = pytest.mark.looptime
single, rewards = NativeGenerationController(), NativeRewardController()
SAID = [r"so \boxed{7}", r"\boxed{7.0}", "Those are many.", r"so \boxed{7}"]
KEYED = ['{"answer": 7, "why": "a"}', '{"answer": 7, "why": "b"}', '{"answer": 8, "why": "b"}']


async def run(controller, said=SAID, **options):
    workers = {"generation": Says(said), "reward": reward_worker(lambda prompt, answer: float(len(answer)))}
    async with ScaffoldingLlm(controller, workers) as llm:
        return (await llm.generate_async("q", **options)).output


def vote(said=SAID, **options):
    return MajorityVoteController(single, len(said), stop_rule="full", **options)


NUMBERS = {"7": 3}
WHOLE = {r"so \boxed{7}": 2, r"\boxed{7.0}": 1, "Those are many.": 1}


@pytest.mark.parametrize(
    ("answers", "said", "votes"),
    [
        ("number", SAID, NUMBERS),
        ("whole", SAID, WHOLE),
        (Answers("number"), SAID, NUMBERS),
        ({"kind": "whole"}, SAID, WHOLE),
        ((Boxed(), Exact()), SAID, {"7": 2, "7.0": 1}),
        ((Boxed(), None), SAID, NUMBERS),
        ((WholeText(), Numeric()), SAID, WHOLE),
        (Answers.pair(WholeText(), None), SAID, WHOLE),
        ({"kind": "json", "key": "answer"}, KEYED, {"7": 2, "8": 1}),
        (Answers("json", key="why"), KEYED, {"b": 2, "a": 1}),
    ],
)
async def test_a_kind_is_a_name_an_object_a_mapping_or_a_pair_of_ones_own(answers, said, votes):
    assert (await run(vote(said, answers=answers), said)).votes == votes
    assert (await run(vote(said), said, answers=answers)).votes == votes


async def test_an_own_extractor_or_equivalence_takes_the_place_of_the_kinds():
    first = FromFunction(lambda text: text[:1])
    assert (await run(vote(answers="whole", extractor=first))).votes == {"s": 2, "\\": 1, "T": 1}
    assert (await run(vote(answers="number", equivalence=Exact()))).votes == {"7": 2, "7.0": 1}
    assert (await run(vote(answers="whole"), extractor=first)).votes == {"s": 2, "\\": 1, "T": 1}
    assert (await run(vote(answers="number"), equivalence=Exact())).votes == {"7": 2, "7.0": 1}
    assert (await run(vote(), answers="number", equivalence=Exact())).votes == {"7": 2, "7.0": 1}


async def test_each_candidate_tells_how_it_was_read_and_the_output_how_the_winner_was():
    output = await run(vote(extractor=Boxed()))
    assert [candidate.read_as for candidate in output.candidates] == ["boxed", "boxed", "", "boxed"]
    assert output.read_as == "boxed"
    assert output.summary()["read_as"] == "boxed"
    assert [candidate["read_as"] for candidate in output.summary()["candidates"]] == [
        "boxed",
        "boxed",
        "",
        "boxed",
    ]


async def test_what_a_sampled_method_read_is_told_as_it_was_read():
    output = await run(vote(["7"] * 3, answers="whole"), ["7"] * 3)
    assert output.read_as == "whole"
    chain = ChainOfThoughtController(single, extractor=Boxed())
    for method in (chain, MajorityVoteController(chain, 1), MajorityVoteController(chain, 2)):
        output = await run(method, [r"\boxed{7}"])
        assert (output.answer, output.read_as) == ("7", "boxed"), method
    retried = await run(RetryWithFeedbackController(chain, rewards), [r"\boxed{7}"])
    assert (retried.answer, retried.read_as) == ("7", "boxed")


async def test_an_answer_that_the_sampled_method_found_counts_unless_a_kind_is_asked_for():
    chain = ChainOfThoughtController(single, extractor=FromFunction(lambda text: "found"))
    trusting = MajorityVoteController(chain, 4, stop_rule="full")
    assert (await run(trusting)).votes == {"found": 4}
    assert (await run(trusting, equivalence=Exact())).votes == {"found": 4}
    assert (await run(trusting, answers="number")).votes == NUMBERS
    assert (await run(MajorityVoteController(chain, 4, stop_rule="full", answers="number"))).votes == NUMBERS
    assert (await run(MajorityVoteController(chain, 1), answers="number")).votes == {"7": 1}


@pytest.mark.parametrize("sample_num", [1, 4])
async def test_requests_at_once_with_kinds_of_their_own_do_not_disturb_each_other(sample_num):
    class Slow(Says):
        async def run_task(self, task):
            await asyncio.sleep(1)
            task.output_str = task.input_str

    whats = {"number": "7", "whole": r"so \boxed{7}", (FromFunction(lambda text: text[:2]), None): "so", None: "7"}
    async with ScaffoldingLlm(vote(answers="number"), Slow(SAID)) as llm:
        results = [llm.generate_async(SAID[0], answers=kind, sample_num=sample_num) for kind in whats]
        assert [(await result).output.answer for result in results] == list(whats.values())


METHODS = {
    "a vote": lambda **options: MajorityVoteController(single, 2, **options),
    "a vote of one": lambda **options: MajorityVoteController(single, 1, **options),
    "best of n": lambda **options: BestOfNController(single, rewards, 2, **options),
    "a chain of thought": lambda **options: ChainOfThoughtController(single, **options),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("numbre", r"no kind of answer is named 'numbre'; there are: auto, number,"),
        ({"kind": "numbre"}, "no kind of answer is named 'numbre'"),
        ({"kind": 7}, "no kind of answer is named"),
        ({"kind": "number", "colour": "red"}, "answers of the kind 'number' do not take this.*colour"),
        ({"key": "answer"}, "answers must be one of auto, number"),
        (7, "answers must be one of auto, number"),
        ((Boxed(),), "answers must be one of auto, number"),
        ((Boxed(), "number"), "equivalence must be an instance"),
        ((Boxed, Exact()), "extractor must be an instance"),
        (("number", None), "extractor must be an instance"),
    ],
)
async def test_what_is_no_kind_is_one_typed_error_when_it_is_made_and_when_it_is_asked(method, wrong, told):
    with pytest.raises(InvalidRequestError, match=told):
        method(answers=wrong)
    with pytest.raises(InvalidRequestError, match=told):
        await run(method(), answers=wrong)


def test_an_unknown_kind_lists_those_there_are():
    with pytest.raises(InvalidRequestError) as refused:
        MajorityVoteController(single, answers="numbre")
    assert all(kind in str(refused.value) for kind in KINDS)


@pytest.mark.parametrize("wrong", [{"extractor": Boxed}, {"extractor": "boxed"}, {"equivalence": Exact}], ids=repr)
async def test_a_part_that_is_none_is_refused_when_it_is_made_and_when_it_is_asked(wrong):
    with pytest.raises(InvalidRequestError, match="must be an instance"):
        vote(**wrong)
    with pytest.raises(InvalidRequestError, match="must be an instance"):
        await run(vote(), **wrong)


# Best of N.


async def test_best_of_n_tells_the_support_of_its_best_where_a_kind_is_given():
    said = ["seven: 7", "8", "7", "it is 8", "7.0"]
    output = await run(BestOfNController(single, rewards, 5, answers="number"), said)
    assert (output.text, output.answer) == ("seven: 7", "7")
    assert (output.votes, output.agreement) == ({"7": 3, "8": 2}, 3 / 5)
    assert [candidate.votes for candidate in output.candidates] == [3, 2, 3, 2, 3]
    asked = await run(BestOfNController(single, rewards, 5), said, answers="number")
    assert (asked.votes, asked.agreement) == (output.votes, output.agreement)


async def test_best_of_n_tells_no_support_where_none_is_asked_for():
    output = await run(BestOfNController(single, rewards, 2), ["7", "8"])
    assert (output.answer, output.votes, output.agreement) == (None, {}, None)


async def test_a_best_of_n_without_an_answer_has_no_support():
    output = await run(BestOfNController(single, rewards, 3, answers="number"), ["7", "none at all", "7"])
    assert (output.text, output.agreement) == ("none at all", 0)


# Field vote.


async def test_each_field_has_a_kind_of_its_own():
    said = [
        json.dumps({"price": price, "name": name, "day": 1})
        for price, name in [("$5.00", "Ada"), ("5", "ada"), ("it is 5", "Bob"), ("6", "Bob")]
    ]
    kinds = {"price": "number", "name": (WholeText(), Exact())}
    method = FieldVoteController(single, 4, answers=kinds, stop_rule="full")
    output = await run(method, said)
    assert output.data["fields"] == {"price": 3 / 4, "name": 2 / 4, "day": 1}
    assert output.answer["name"] == "Bob"
    asked = await run(FieldVoteController(single, 4, stop_rule="full"), said, answers=kinds)
    assert asked.data == output.data


async def test_a_request_may_ask_for_another_kind_of_a_field():
    said = [json.dumps({"n": n}) for n in ("5", "so 5", "6")]
    method = FieldVoteController(single, 3, answers={"n": "whole"}, stop_rule="full")
    assert (await run(method, said)).data == {"fields": {"n": 1 / 3}}
    assert (await run(method, said, answers={"n": "number"})).data == {"fields": {"n": 2 / 3}}
    assert (await run(method, said)).data == {"fields": {"n": 1 / 3}}


async def test_an_own_equivalence_takes_the_place_of_a_fields_kind():
    said = [json.dumps({"n": n}) for n in ("5", "so 5", "6")]
    method = FieldVoteController(
        single, 3, answers={"n": "number"}, equivalences={"n": Normalised()}, stop_rule="full"
    )
    assert (await run(method, said)).data == {"fields": {"n": 1 / 3}}


async def test_a_value_is_worded_as_most_samples_word_it():
    said = [json.dumps({"n": n}) for n in ("5.0", "5", "5", "6")]
    assert (await run(FieldVoteController(single, 4), said)).answer == {"n": "5"}


@pytest.mark.parametrize("wrong", ["number", {"n": "numbre"}, {"n": {"kind": "number", "colour": "red"}}, ["n"]])
async def test_what_is_no_kind_for_each_field_is_one_typed_error(wrong):
    with pytest.raises(InvalidRequestError):
        FieldVoteController(single, answers=wrong)
    with pytest.raises(InvalidRequestError):
        await run(FieldVoteController(single, 2), answers=wrong)


def test_an_equivalence_of_a_field_that_is_none_is_refused():
    with pytest.raises(InvalidRequestError, match="equivalence must be an instance"):
        FieldVoteController(single, equivalences={"n": Exact})


async def test_a_field_vote_tells_how_its_structures_were_read():
    output = await run(FieldVoteController(single, 2, extractor=Json()), ['{"a": 1}', "plain"])
    assert [candidate.read_as for candidate in output.candidates] == ["json", ""]
    assert output.read_as == "json"
