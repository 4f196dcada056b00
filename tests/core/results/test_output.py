"""What a method gives back."""

from scaffolding_core import (
    AssistantMessage,
    Candidate,
    GenerationTask,
    ScaffoldingOutput,
    Usage,
)


def test_task_candidate_and_output_refer_to_one_message():
    task = GenerationTask(input_str="3 + 4?")
    task.said = AssistantMessage(
        "7", "Add them.", finish_reason="stop", logprobs=[], output_tokens=[7], original=task
    )
    candidate = Candidate(2, task.said, answer="7", score=0.5)
    output = ScaffoldingOutput.of(candidate, method="Vote")
    assert output.message is candidate.message is task.message() is task.said
    assert (task.output_str, candidate.text, output.text) == ("7", "7", "7")
    assert output.token_ids is candidate.output_tokens is task.output_tokens
    assert output.logprobs is candidate.logprobs is task.logprobs
    assert {output.finish_reason, candidate.finish_reason, task.finish_reason} == {"stop"}
    assert (candidate.reasoning, candidate.original, candidate.tool_calls) == ("Add them.", task, None)
    assert (output.answer, output.score, output.method, output.usage) == ("7", 0.5, "Vote", Usage())


def test_a_text_becomes_the_message_of_a_candidate_or_an_output():
    assert Candidate(0, "7").message == AssistantMessage("7")
    assert ScaffoldingOutput("7", [1]).message == AssistantMessage("7")
    assert ScaffoldingOutput("7", [1]).token_ids == [1]
    assert Candidate(0).message == ScaffoldingOutput().message == AssistantMessage()


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


def test_plain_data_tells_what_each_role_cost():
    output = ScaffoldingOutput("7", usage_by_role={"generation": Usage(3, 2), "judge": Usage(9, 1)})
    told = output.summary()["usage_by_role"]
    assert {role: usage["total_tokens"] for role, usage in told.items()} == {"generation": 5, "judge": 10}
