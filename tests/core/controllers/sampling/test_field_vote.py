"""Field vote."""

import json

import pytest

from scaffolding_core import (
    AssistantMessage,
    Budget,
    Exact,
    FieldVoteController,
    FromFunction,
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    Json,
    NativeGenerationController,
    ScaffoldingLlm,
    Task,
    ToolCall,
)

single = NativeGenerationController()


class Says:
    """Scripted structures, in the order in which samples start; scripted, since votes need known ones."""

    def __init__(self, *structures):
        self.structures = iter(structures)
        self.started = 0

    async def __call__(self, task: Task):
        self.started += 1
        said = next(self.structures)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, ToolCall):
            return AssistantMessage(None, None, [said])
        return said if isinstance(said, str) else f"Here: {json.dumps(said)}"


async def vote(*structures, budget=None, **options):
    says = Says(*structures)
    async with ScaffoldingLlm(
        FieldVoteController(single, len(structures), **options), FunctionWorker(says)
    ) as llm:
        result = await llm.generate_async("Read the invoice.", budget=budget)
    return result.output, says


async def test_each_field_is_voted_on_by_itself():
    output, _ = await vote({"name": "Ada", "age": 36}, {"name": "ada.", "age": 37}, {"name": "Bob", "age": 37.0})
    assert output.answer == output.consensus == {"name": "Ada", "age": 37}
    assert output.data == {"fields": {"name": 2 / 3, "age": 2 / 3}}
    assert output.agreement == pytest.approx(2 / 3)
    assert output.method == "FieldVoteController"


async def test_the_message_is_one_sample_whole_the_nearest_to_the_consensus():
    output, _ = await vote(
        {"a": 1, "b": 9, "c": 8}, {"a": 1, "b": 2, "c": 7}, {"a": 5, "b": 2, "c": 3}, {"a": 6, "b": 7, "c": 3}
    )
    assert output.answer == {"a": 1, "b": 2, "c": 3}
    assert output.message == output.candidates[1].message
    assert output.text == 'Here: {"a": 1, "b": 2, "c": 7}'


async def test_the_rest_is_not_run_once_no_field_can_change():
    output, says = await vote(*[{"a": 1, "b": 2}] * 20)
    assert (output.stopped, output.counted) == ("decided", 11)
    assert output.samples == says.started < 20


async def test_the_arguments_of_a_tool_call_are_a_structure():
    call = ToolCall("1", "Person", '{"name": "Ada"}')
    output, _ = await vote(call, {"name": "Bob"}, call)
    assert output.answer == {"name": "Ada"}
    assert output.message.tool_calls == [call]


async def test_a_sample_without_a_structure_abstains_and_a_failed_one_costs_itself_alone():
    output, _ = await vote("no idea", ConnectionError("lost"), {"a": 1}, "[1, 2]", "nothing")
    assert output.answer == {"a": 1}
    assert output.agreement == 1.0
    assert output.candidates[1].error is not None


async def test_without_any_structure_there_is_no_answer():
    output, _ = await vote("no idea", "nothing")
    assert output.answer is None
    assert output.consensus is None
    assert output.text == "no idea"
    assert output.agreement == 0.0


async def test_a_field_may_have_an_equivalence_and_the_structure_an_extractor_of_its_own():
    output, _ = await vote(
        {"r": {"code": "a"}}, {"r": {"code": "A"}}, {"r": {"code": "A"}}, extractor=Json("r"),
        equivalences={"code": Exact()},
    )  # fmt: skip
    assert output.answer == {"code": "A"}
    output, _ = await vote("x", "y", extractor=FromFunction(lambda text: {1: text}))
    assert output.answer == {"1": "x"}
    output, _ = await vote("x", "y", extractor=FromFunction(lambda text: text))
    assert output.answer is None


async def test_at_the_end_of_the_budget_the_samples_that_are_there_vote():
    output, _ = await vote({"a": 1}, {"a": 2}, {"a": 2}, {"a": 1}, {"a": 1}, budget=Budget(samples=3))
    assert output.stopped == "budget"
    assert output.answer == {"a": 2}


async def test_too_few_samples_are_an_error():
    with pytest.raises(InsufficientSamplesError):
        await vote(ConnectionError(), ConnectionError(), {"a": 1}, min_samples=2)


def test_bad_options_are_refused_when_it_is_made():
    for options in ({"default_sample_num": 0}, {"stop_rule": "soon"}, {"run_ahead": 0.5}, {"min_samples": 0}):
        with pytest.raises(InvalidRequestError):
            FieldVoteController(single, **options)
