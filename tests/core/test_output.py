"""What a method gives back."""

from dataclasses import fields

from scaffolding_core import AssistantMessage, Candidate, GenerationTask, ScaffoldingOutput, ToolCall
from scaffolding_core.messages import Usage


def test_an_output_of_a_candidate_is_the_one_that_its_constructor_makes():
    candidate = Candidate(3, "It is 7.", answer="7", score=0.5, finish_reason="stop", output_tokens=[1, 2])
    output = ScaffoldingOutput.from_candidate(candidate, method="Vote")
    same = ScaffoldingOutput(
        AssistantMessage("It is 7."), [1, 2], answer="7", score=0.5, finish_reason="stop", method="Vote"
    )
    assert output == same
    assert all(hasattr(output, field.name) for field in fields(ScaffoldingOutput))


def test_a_candidate_of_a_task_holds_all_that_the_task_has_of_a_sample():
    task = GenerationTask(input_str="3 + 4?")
    task.output_str, task.reasoning, task.original = "7", "Add them.", object()
    task.usage, task.finish_reason, task.logprobs, task.output_tokens = Usage(calls=1), "stop", [], [7]
    candidate = Candidate.from_task(2, task)
    assert candidate == Candidate(
        2, "7", "Add them.", usage=Usage(calls=1), finish_reason="stop", logprobs=[], output_tokens=[7]
    )
    assert candidate.original is task.original


def test_a_candidates_message_is_the_one_that_its_constructor_makes():
    said, call = object(), ToolCall("1", "go", "{}")
    candidate = Candidate(0, "It is 7.", "Add them.", [call], said)
    same = AssistantMessage("It is 7.", "Add them.", [call], original=said)
    assert candidate.message == same
    assert all(
        getattr(candidate.message, field.name) == getattr(same, field.name) for field in fields(AssistantMessage)
    )


def test_what_counted_is_what_neither_failed_nor_was_cut_nor_came_late():
    candidates = [Candidate(0), Candidate(1, cut=True), Candidate(2, late=True), Candidate(3, error=ValueError())]
    output = ScaffoldingOutput(candidates=[*candidates, Candidate(4, "none here")])
    assert (output.samples, output.counted, output.cut) == (5, 2, 1)
    told = output.summary()
    assert (told["samples"], told["counted"], told["cut"]) == (5, 2, 1)
    assert [each["late"] for each in told["candidates"]] == [False, False, True, False, False]


def test_a_method_without_candidates_took_one_sample():
    told = ScaffoldingOutput("7").summary()
    assert (told["samples"], told["counted"], told["cut"]) == (1, 1, 0)


def test_a_task_of_a_prompt_is_the_one_that_its_constructor_makes():
    made, same = GenerationTask.create_from_prompt("3 + 4?"), GenerationTask(input_str="3 + 4?")
    assert all(getattr(made, field.name) == getattr(same, field.name) for field in fields(GenerationTask))
